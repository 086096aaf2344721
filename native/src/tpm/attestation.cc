#include "tpm/attestation.hh"

namespace tss::tpm {
namespace {

/** TPM2B_DATA holds at most a TPMT_HA; what a verifier has signed in is a digest. */
constexpr size_t kMaxQualifyingBytes = 64;
constexpr size_t kMaxCredentialBytes = 1024;

EndorsementKind kindArgument(const Napi::Value& value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "rsa-2048") return EndorsementKind::rsa2048;
  if (name == "ecc-p256") return EndorsementKind::eccP256;
  if (name == "ecc-p384") return EndorsementKind::eccP384;
  throw Failure("ARGUMENT_INVALID", "an endorsement key is rsa-2048, ecc-p256 or ecc-p384");
}

Bytes boundedArgument(const Napi::Value& value, size_t most, const char* what) {
  const Napi::Uint8Array bytes = bytesArgument(value);
  if (bytes.ByteLength() == 0 || bytes.ByteLength() > most)
    throw Failure("ARGUMENT_INVALID", std::string(what) + " has 1 to " + std::to_string(most) + " bytes");
  return Bytes(bytes.Data(), bytes.Data() + bytes.ByteLength());
}

}  // namespace

KeyBlob blobOf(const Napi::Value& value) {
  if (!value.IsObject()) throw Failure("ARGUMENT_INVALID", "a key blob is an object");
  const Napi::Object object = value.As<Napi::Object>();
  const Napi::Value parent = object.Get("parent");
  if (!parent.IsNumber()) throw Failure("ARGUMENT_INVALID", "a key blob has a parent");
  const auto bytes = [&](const char* name) {
    const Napi::Uint8Array area = bytesArgument(object.Get(name));
    return Bytes(area.Data(), area.Data() + area.ByteLength());
  };
  return {parent.As<Napi::Number>().Uint32Value(), bytes("publicArea"), bytes("privateArea")};
}

Napi::Value endorsement(const Napi::CallbackInfo& call, Worker& worker,
                        const std::shared_ptr<Device>& device) {
  const EndorsementKind kind = kindArgument(call[0]);
  return worker.run<Endorsement>(
      call.Env(), [device, kind] { return device->endorsement(kind); },
      [](Napi::Env env, Endorsement& found) {
        Napi::Object result = Napi::Object::New(env);
        result.Set("handle", found.handle);
        result.Set("publicArea", toBuffer(env, found.publicArea));
        return result;
      });
}

Napi::Value storedCertificates(const Napi::CallbackInfo& call, Worker& worker,
                               const std::shared_ptr<Device>& device) {
  return worker.run<std::vector<StoredCertificate>>(
      call.Env(), [device] { return device->storedCertificates(); },
      [](Napi::Env env, std::vector<StoredCertificate>& found) {
        Napi::Array result = Napi::Array::New(env);
        for (const StoredCertificate& stored : found) {
          Napi::Object entry = Napi::Object::New(env);
          entry.Set("index", stored.index);
          entry.Set("bytes", toBuffer(env, stored.bytes));
          result.Set(result.Length(), entry);
        }
        return result;
      });
}

Napi::Value activateCredential(const Napi::CallbackInfo& call, Worker& worker,
                               const std::shared_ptr<Device>& device) {
  const EndorsementKind kind = kindArgument(call[0]);
  const auto key = std::make_shared<Key>(blobOf(call[1]), Key::Use::attesting);
  const Credential credential(boundedArgument(call[2], kMaxCredentialBytes, "a credential blob"),
                              boundedArgument(call[3], kMaxCredentialBytes, "an encrypted secret"));
  return worker.run<Bytes>(
      call.Env(), [device, kind, key, credential] { return device->activate(kind, key, credential); },
      [](Napi::Env env, Bytes& secret) {
        const Napi::Buffer<uint8_t> result = toBuffer(env, secret);
        std::fill(secret.begin(), secret.end(), uint8_t{0});
        return result;
      });
}

Napi::Value certify(const Napi::CallbackInfo& call, Worker& worker, const std::shared_ptr<Device>& device,
                    const std::shared_ptr<Key>& key) {
  const auto attestationKey = std::make_shared<Key>(blobOf(call[1]), Key::Use::attesting);
  const Bytes qualifying = boundedArgument(call[2], kMaxQualifyingBytes, "qualifying data");
  return worker.run<Certification>(
      call.Env(),
      [device, key, attestationKey, qualifying] { return device->certify(key, attestationKey, qualifying); },
      [](Napi::Env env, Certification& made) {
        Napi::Object result = Napi::Object::New(env);
        result.Set("attest", toBuffer(env, made.attest));
        result.Set("signature", toBuffer(env, made.signature));
        return result;
      });
}

}  // namespace tss::tpm
