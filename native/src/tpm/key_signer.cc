#include "tpm/key_signer.hh"

namespace tss::tpm {

void KeySigner::hold() {
  // It is there already: waking the thread for nothing would cost the handshake more than it gains.
  if (device_->keepsLoaded()) return;
  worker_->post([device = device_, key = key_] { device->hold(key); });
}

void KeySigner::release() {
  if (device_->keepsLoaded()) return;
  worker_->post([device = device_, key = key_] { device->release(key); });
}

Bytes KeySigner::sign(const Digest& digest) { return device_->sign(key_, digest); }

Napi::Promise KeySigner::close(Napi::Env env) {
  return worker_->submit(
      env, [device = device_, key = key_] { device->forget(key); },
      [](Napi::Env inner) { return inner.Undefined(); });
}

}  // namespace tss::tpm
