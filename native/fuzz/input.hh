#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "bytes.hh"

namespace tss::fuzz {

/** The fuzzer's bytes, consumed from the front; zeroes behind the end. */
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size) {}
  bool isEmpty() const { return left_ == 0; }
  size_t left() const { return left_; }
  uint8_t byte() {
    if (left_ == 0) return 0;
    left_--;
    return *data_++;
  }
  Bytes bytes(size_t wanted) {
    const size_t length = std::min(wanted, left_);
    const Bytes taken(data_, data_ + length);
    data_ += length;
    left_ -= length;
    return taken;
  }
  Bytes rest() { return bytes(left_); }

 private:
  const uint8_t* data_;
  size_t left_;
};

/** A rule that must hold for every input: libFuzzer reports an abort together with the input that led to it.
 */
inline void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

}  // namespace tss::fuzz
