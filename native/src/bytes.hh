#pragma once

#include <napi.h>

#include <array>
#include <cstdint>
#include <vector>

#include "failure.hh"

namespace tss {

using Bytes = std::vector<uint8_t>;

/** A SHA-256 digest. */
using Digest = std::array<uint8_t, 32>;

/** An uncompressed P-256 point: 0x04, x, y (SEC 1 §2.3.3). */
using Point = std::array<uint8_t, 65>;

inline Napi::Buffer<uint8_t> toBuffer(Napi::Env env, const Bytes& bytes) {
  return Napi::Buffer<uint8_t>::Copy(env, bytes.data(), bytes.size());
}

/** The bytes of an argument that must be a Uint8Array (or Buffer); valid while the argument is. */
inline Napi::Uint8Array bytesArgument(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Failure("ARGUMENT_INVALID", "bytes must be a Uint8Array");
  return value.As<Napi::Uint8Array>();
}

inline Digest digestArgument(const Napi::Value& value) {
  const Napi::Uint8Array bytes = bytesArgument(value);
  Digest digest;
  if (bytes.ByteLength() != digest.size())
    throw Failure("ARGUMENT_INVALID", "a SHA-256 digest has exactly 32 bytes");
  std::copy_n(bytes.Data(), digest.size(), digest.begin());
  return digest;
}

}  // namespace tss
