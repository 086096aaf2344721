#include "tls/software_key.hh"

#include <openssl/decoder.h>

#include "tls/errors.hh"

namespace tss::tls {
namespace {

constexpr napi_type_tag kTag = {0x6e6f64652d747373, 0x736f66746b657931};

PkeyPtr read(const std::string& pem) {
  EVP_PKEY* key = nullptr;
  using DecoderPtr = std::unique_ptr<OSSL_DECODER_CTX, Deleter<OSSL_DECODER_CTX_free>>;
  const DecoderPtr decoder(OSSL_DECODER_CTX_new_for_pkey(&key, "PEM", "PrivateKeyInfo", "EC",
                                                         EVP_PKEY_KEYPAIR, library(), "provider=default"));
  const auto* data = reinterpret_cast<const uint8_t*>(pem.data());
  size_t length = pem.size();
  if (!decoder || OSSL_DECODER_from_data(decoder.get(), &data, &length) != 1)
    throw Failure("KEY_INVALID", "the software key is not an unencrypted PKCS#8 PEM: " + lastReason());
  return PkeyPtr(key);
}

class SoftwareKey : public Napi::ObjectWrap<SoftwareKey> {
 public:
  explicit SoftwareKey(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    guarded(info.Env(), [&] {
      if (!info[0].IsString()) throw Failure("ARGUMENT_INVALID", "a software key is a PEM text");
      key_ = read(info[0].As<Napi::String>().Utf8Value());
      const auto point = pointOf(key_.get());
      if (!point) throw Failure("KEY_INVALID", "the software key is not a P-256 key");
      point_ = *point;
      info.This().As<Napi::Object>().TypeTag(&kTag);
    });
  }

  ClientKey share() const {
    EVP_PKEY_up_ref(key_.get());
    return {point_, PkeyPtr(key_.get()), nullptr};
  }

  Napi::Value point(const Napi::CallbackInfo& info) {
    return Napi::Buffer<uint8_t>::Copy(info.Env(), point_.data(), point_.size());
  }

  Napi::Value sign(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Digest digest = digestArgument(info[0]);
      const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(library(), key_.get(), nullptr));
      Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key_.get())));
      size_t length = signature.size();
      if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
          EVP_PKEY_sign(context.get(), signature.data(), &length, digest.data(), digest.size()) != 1)
        throw Failure("KEY_INVALID", "the software key does not sign: " + lastReason());
      signature.resize(length);
      return toBuffer(info.Env(), signature);
    });
  }

 private:
  PkeyPtr key_;
  Point point_{};
};

}  // namespace

Napi::Function defineSoftwareKey(Napi::Env env) {
  return SoftwareKey::DefineClass(env, "SoftwareKey",
                                  {SoftwareKey::InstanceAccessor<&SoftwareKey::point>("point"),
                                   SoftwareKey::InstanceMethod<&SoftwareKey::sign>("sign")});
}

std::optional<ClientKey> softwareKeyOf(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) return std::nullopt;
  return SoftwareKey::Unwrap(value.As<Napi::Object>())->share();
}

}  // namespace tss::tls
