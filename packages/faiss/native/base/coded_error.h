// The one error type this addon throws itself; Faiss's own exceptions become code faiss_failed with their text.
#pragma once

#include <stdexcept>
#include <string>

namespace likeness {

struct CodedError : std::runtime_error {
  CodedError(const char* code, const std::string& text) : std::runtime_error(text), code(code) {}
  const char* code;
};

struct ErrorText {
  std::string code;
  std::string text;
};

// The exception being handled, as code and text. Call inside a catch block.
ErrorText describe_current_exception();

}  // namespace likeness
