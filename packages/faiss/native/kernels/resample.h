// Resamples a picture along both axes, by weights from the caller.
#pragma once

#include <cstddef>
#include <cstdint>

namespace likeness {

// Target i is the sum over j of weights[from[i] + j] x source[first[i] + j], for from[i] + j <
// from[i + 1].
struct Taps {
  const int32_t* first;
  const int32_t* from;  // targets + 1
  const float* weights;
  size_t targets;
};

// One RGB picture, 8 bits a value.
struct Picture {
  const uint8_t* rgb;
  size_t width;
};

// Three planes of a canvas; `stride` from row to row, `plane` from colour to colour.
struct Planes {
  float* out;
  size_t stride;
  size_t plane;
};

// out: rows.targets x columns.targets of each colour, 0..1. Rows are mixed first. The same bits on
// every machine, with or without fused multiply-add: every product is exact in double.
void resample(const Picture& picture, const Taps& rows, const Taps& columns, const Planes& planes);

}  // namespace likeness
