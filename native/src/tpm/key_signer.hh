#pragma once

#include "signer.hh"
#include "tpm/device.hh"

namespace tss::tpm {

/** A loaded key of one TPM, for TLS. */
class KeySigner : public Signer, public std::enable_shared_from_this<KeySigner> {
 public:
  KeySigner(std::shared_ptr<Worker> worker, std::shared_ptr<Device> device, std::shared_ptr<Key> key)
      : worker_(std::move(worker)), device_(std::move(device)), key_(std::move(key)) {}
  const Point& point() const override { return key_->point; }
  std::shared_ptr<Worker> worker() const override { return worker_; }
  void hold() override;
  void alert() override { worker_->alert(); }
  void release() override;
  Bytes sign(const Digest& digest) override;
  const std::shared_ptr<Key>& key() const { return key_; }
  /** Flush the key and refuse further use. */
  Napi::Promise close(Napi::Env env);

 private:
  std::shared_ptr<Worker> worker_;
  std::shared_ptr<Device> device_;
  std::shared_ptr<Key> key_;
};

}  // namespace tss::tpm
