#pragma once

#include <memory>

#include "bytes.hh"
#include "worker.hh"

namespace tss {

/** A private key as TLS sees it. `sign`, `hold` and `release` pair up around one handshake. */
class Signer {
 public:
  virtual ~Signer() = default;
  /** The public key. */
  virtual const Point& point() const = 0;
  /** The thread on which `sign` must be called. */
  virtual std::shared_ptr<Worker> worker() const = 0;
  /** A signature will be wanted soon. JavaScript thread. */
  virtual void hold() = 0;
  /** A signature will be wanted within a millisecond. JavaScript thread. */
  virtual void alert() = 0;
  /** It is not wanted any more. Any thread. */
  virtual void release() = 0;
  /** @returns Ecdsa-Sig-Value, DER. @throws Failure */
  virtual Bytes sign(const Digest& digest) = 0;
};

}  // namespace tss
