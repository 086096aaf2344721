#include "tls/binding.hh"

#include "addon.hh"
#include "tls/connection.hh"
#include "tls/software_key.hh"
#include "tpm/binding.hh"

namespace tss::tls {
namespace {

constexpr napi_type_tag kContextTag = {0x6e6f64652d747373, 0x746c73636f6e7478};

std::string text(const Napi::Value& value) {
  if (!value.IsString()) throw Failure("ARGUMENT_INVALID", "a text was expected");
  return value.As<Napi::String>().Utf8Value();
}

std::optional<ClientKey> keyArgument(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  if (auto key = softwareKeyOf(value)) return key;
  const auto signer = tpm::signerOf(value);
  if (!signer) throw Failure("ARGUMENT_INVALID", "the identity's key must come from loadKey or softwareKey");
  return ClientKey{signer->point(), nullptr, signer};
}

/** `new TlsContext(anchors | undefined, systemAnchorsFile, chain, key | undefined, allowTls12)` */
class ContextObject : public Napi::ObjectWrap<ContextObject> {
 public:
  explicit ContextObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    guarded(info.Env(), [&] {
      const auto anchors = info[0].IsUndefined() ? std::nullopt : std::make_optional(text(info[0]));
      const Oldest oldest = info[4].ToBoolean() ? Oldest::tls12 : Oldest::tls13;
      context_ =
          std::make_shared<Context>(anchors, text(info[1]), text(info[2]), keyArgument(info[3]), oldest);
      info.This().As<Napi::Object>().TypeTag(&kContextTag);
    });
  }
  const std::shared_ptr<Context>& context() const { return context_; }

 private:
  std::shared_ptr<Context> context_;
};

Napi::Object present(Napi::Env env, const Outcome& outcome) {
  Napi::Object result = Napi::Object::New(env);
  if (outcome.dataLength > 0)
    result.Set("data", Napi::Buffer<uint8_t>::Copy(env, outcome.data, outcome.dataLength));
  if (!outcome.output.empty()) result.Set("output", toBuffer(env, outcome.output));
  result.Set("done", outcome.done);
  if (outcome.wantsKey) result.Set("wantsKey", true);
  if (outcome.failure) result.Set("failure", toError(env, *outcome.failure).Value());
  return result;
}

/** `new TlsConnection(context, name, isAddress, alpn, verifyAt | undefined, peer)` */
class ConnectionObject : public Napi::ObjectWrap<ConnectionObject> {
 public:
  explicit ConnectionObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    guarded(info.Env(), [&] {
      if (!info[0].IsObject() || !info[0].As<Napi::Object>().CheckTypeTag(&kContextTag))
        throw Failure("ARGUMENT_INVALID", "a TlsContext was expected");
      const Napi::Uint8Array protocols = bytesArgument(info[3]);
      Target target;
      target.name = text(info[1]);
      target.isAddress = info[2].ToBoolean();
      target.protocols = Bytes(protocols.Data(), protocols.Data() + protocols.ByteLength());
      if (!info[4].IsUndefined()) target.verifyAt = static_cast<time_t>(info[4].ToNumber().Int64Value());
      target.peer = text(info[5]);
      connection_ =
          std::make_shared<Connection>(ContextObject::Unwrap(info[0].As<Napi::Object>())->context(), target);
    });
  }

  static Napi::Function define(Napi::Env env) {
    using Self = ConnectionObject;
    return DefineClass(
        env, "TlsConnection",
        {InstanceMethod<&Self::start>("start"), InstanceMethod<&Self::advance>("advance"),
         InstanceMethod<&Self::proceed>("proceed"), InstanceMethod<&Self::receive>("receive"),
         InstanceMethod<&Self::send>("send"), InstanceMethod<&Self::shutdown>("shutdown"),
         InstanceMethod<&Self::details>("details"), InstanceMethod<&Self::abandon>("abandon")});
  }

 private:
  /** The connection, which a step on its thread must not be using. */
  Connection& idle() {
    if (busy_) throw Failure("ARGUMENT_INVALID", "a step of the handshake is under way");
    return *connection_;
  }

  Napi::Value start(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return toBuffer(info.Env(), idle().start()); });
  }

  Napi::Value advance(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Napi::Uint8Array bytes = bytesArgument(info[0]);
      return present(info.Env(), idle().advance(bytes.Data(), bytes.ByteLength()));
    });
  }

  Napi::Value proceed(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&] {
      const auto& signer = idle().context()->signer();
      if (!signer) throw Failure("ARGUMENT_INVALID", "this connection waits for no key");
      busy_ = std::make_shared<bool>(true);
      const auto keeper =
          std::make_shared<Napi::ObjectReference>(Napi::Persistent(info.This().As<Napi::Object>()));
      return signer->worker()->run<Outcome>(
          env, [connection = connection_] { return connection->proceed(); },
          [this, keeper](Napi::Env inner, Outcome& outcome) {
            busy_.reset();
            keeper->Reset();
            return present(inner, outcome);
          });
    });
  }

  Napi::Value receive(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Napi::Uint8Array bytes = bytesArgument(info[0]);
      return present(info.Env(), idle().receive(bytes.Data(), bytes.ByteLength()));
    });
  }

  Napi::Value send(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Napi::Uint8Array bytes = bytesArgument(info[0]);
      return toBuffer(info.Env(), idle().send(bytes.Data(), bytes.ByteLength()));
    });
  }

  Napi::Value shutdown(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return toBuffer(info.Env(), idle().shutdown()); });
  }

  Napi::Value details(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&] {
      SSL* const ssl = idle().ssl();
      const unsigned char* protocol = nullptr;
      unsigned length = 0;
      SSL_get0_alpn_selected(ssl, &protocol, &length);
      uint8_t* der = nullptr;
      const int size = i2d_X509(SSL_get0_peer_certificate(ssl), &der);
      const Bytes certificate(der, der + (size > 0 ? size : 0));
      OPENSSL_free(der);
      Napi::Object result = Napi::Object::New(env);
      result.Set("alpnProtocol", std::string(reinterpret_cast<const char*>(protocol), length));
      result.Set("protocol", SSL_get_version(ssl));
      result.Set("cipher", SSL_get_cipher_name(ssl));
      result.Set("peerCertificate", toBuffer(env, certificate));
      result.Set("sessionReused", SSL_session_reused(ssl) == 1);
      return result;
    });
  }

  /** The handshake will not go on: the key need not stay ready for it. */
  void abandon(const Napi::CallbackInfo&) { connection_->unhold(); }

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<bool> busy_;
};

}  // namespace

void exportTls(Napi::Env env, Napi::Object exports) {
  library();
  exports.Set("TlsContext", ContextObject::DefineClass(env, "TlsContext", {}));
  exports.Set("TlsConnection", ConnectionObject::define(env));
  exports.Set("SoftwareKey", defineSoftwareKey(env));
}

}  // namespace tss::tls
