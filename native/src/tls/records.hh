#pragma once

#include "bytes.hh"
#include "tls/library.hh"

namespace tss::tls {

/**
 * The two directions of TLS records between libssl and JavaScript. What comes in is read in place; what
 * libssl leaves of it is kept. What goes out piles up until it is taken.
 */
class Records {
 public:
  /** Make these bytes readable; they must stay valid until `settle`. */
  void feed(const uint8_t* data, size_t length);
  /** Keep a copy of what was not read. */
  void settle();
  /** What is to be sent. */
  Bytes take();
  /** Give `ssl` this as its transport. This object must outlive it. */
  void attach(SSL* ssl);

  int read(uint8_t* to, size_t length, size_t* done);
  void write(const uint8_t* from, size_t length) { outgoing_.insert(outgoing_.end(), from, from + length); }

 private:
  Bytes kept_;
  size_t keptFrom_ = 0;
  const uint8_t* next_ = nullptr;
  size_t left_ = 0;
  Bytes outgoing_;
};

}  // namespace tss::tls
