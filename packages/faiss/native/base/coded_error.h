// The one type of error that this addon throws itself; an exception of Faiss becomes code
// faiss_failed with its text.
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

// Code and text of the exception being handled. Call inside a catch block.
ErrorText describe_current_exception();

}  // namespace likeness
