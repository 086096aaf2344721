#include "tpm/binding.hh"

#include "addon.hh"
#include "tpm/attestation.hh"
#include "tpm/key_signer.hh"

namespace tss::tpm {
namespace {

constexpr napi_type_tag kKeyTag = {0x6e6f64652d747373, 0x74706d2d6b657931};

/** `sign(digest): Promise<Buffer>`, `close(): Promise<void>`, `point: Buffer`. */
class KeyObject : public Napi::ObjectWrap<KeyObject> {
 public:
  explicit KeyObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    info.This().As<Napi::Object>().TypeTag(&kKeyTag);
  }
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "TpmKey",
        {InstanceAccessor<&KeyObject::point>("point"), InstanceMethod<&KeyObject::sign>("sign"),
         InstanceMethod<&KeyObject::close>("close")});
  }
  static Napi::Value wrap(Napi::Env env, std::shared_ptr<KeySigner> signer) {
    const Napi::Object object = Classes::of(env).tpmKey.New({});
    Unwrap(object)->signer_ = std::move(signer);
    return object;
  }
  std::shared_ptr<Signer> signer() const { return signer_; }

 private:
  KeySigner& key() {
    if (!signer_) throw Failure("ARGUMENT_INVALID", "keys come from loadKey");
    return *signer_;
  }
  Napi::Value point(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Point& point = key().point();
      return Napi::Buffer<uint8_t>::Copy(info.Env(), point.data(), point.size());
    });
  }
  Napi::Value sign(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Digest digest = digestArgument(info[0]);
      return key().worker()->run<Bytes>(
          info.Env(), [signer = signer_, digest] { return signer->sign(digest); },
          [](Napi::Env env, Bytes& signature) { return toBuffer(env, signature); });
    });
  }
  Napi::Value close(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return key().close(info.Env()); });
  }

  std::shared_ptr<KeySigner> signer_;
};

Napi::Value toObject(Napi::Env env, const KeyBlob& blob) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("parent", blob.parent);
  result.Set("publicArea", toBuffer(env, blob.publicArea));
  result.Set("privateArea", toBuffer(env, blob.privateArea));
  return result;
}

/** `info`, `createKey`, `loadKey`, `close` and those of attestation: all return promises. */
class TpmObject : public Napi::ObjectWrap<TpmObject> {
 public:
  explicit TpmObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {}
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "Tpm",
        {InstanceMethod<&TpmObject::info>("info"), InstanceMethod<&TpmObject::createKey>("createKey"),
         InstanceMethod<&TpmObject::loadKey>("loadKey"), InstanceMethod<&TpmObject::close>("close"),
         InstanceMethod<&TpmObject::createAttestationKey>("createAttestationKey"),
         InstanceMethod<&TpmObject::attest<endorsement>>("endorsement"),
         InstanceMethod<&TpmObject::attest<storedCertificates>>("storedCertificates"),
         InstanceMethod<&TpmObject::attest<activateCredential>>("activateCredential"),
         InstanceMethod<&TpmObject::certify>("certify")});
  }
  static Napi::Value wrap(Napi::Env env, std::shared_ptr<Worker> worker, std::shared_ptr<Device> device) {
    const Napi::Object object = Classes::of(env).tpm.New({});
    TpmObject* self = Unwrap(object);
    self->worker_ = std::move(worker);
    self->device_ = std::move(device);
    return object;
  }

 private:
  Worker& worker() {
    if (!worker_) throw Failure("ARGUMENT_INVALID", "TPMs come from openTpm");
    return *worker_;
  }
  Napi::Value info(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      return worker().run<Info>(
          call.Env(), [device = device_] { return device->info(); },
          [](Napi::Env env, Info& info) {
            Napi::Object result = Napi::Object::New(env);
            result.Set("manufacturer", info.manufacturer);
            result.Set("vendor", info.vendor);
            result.Set("firmware", info.firmware);
            result.Set("transientObjects", info.transientObjects);
            result.Set("transientFree", info.transientFree);
            result.Set("parent", info.parent);
            result.Set("ownerAuthSet", info.ownerAuthSet);
            result.Set("curveP256", info.curveP256);
            Napi::Object lockout = Napi::Object::New(env);
            lockout.Set("active", info.lockout.active);
            lockout.Set("failures", info.lockout.failures);
            lockout.Set("maxFailures", info.lockout.maxFailures);
            lockout.Set("intervalSeconds", info.lockout.intervalSeconds);
            lockout.Set("recoverySeconds", info.lockout.recoverySeconds);
            result.Set("lockout", lockout);
            return result;
          });
    });
  }
  Napi::Value createKey(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      return worker().run<KeyBlob>(
          call.Env(), [device = device_] { return device->create(); },
          [](Napi::Env env, KeyBlob& blob) { return toObject(env, blob); });
    });
  }
  Napi::Value createAttestationKey(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      return worker().run<KeyBlob>(
          call.Env(), [device = device_] { return device->createAttestationKey(); },
          [](Napi::Env env, KeyBlob& blob) { return toObject(env, blob); });
    });
  }
  template <Napi::Value (*call)(const Napi::CallbackInfo&, Worker&, const std::shared_ptr<Device>&)>
  Napi::Value attest(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return call(info, worker(), device_); });
  }
  Napi::Value certify(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      const auto signer = std::static_pointer_cast<KeySigner>(signerOf(call[0]));
      if (!signer) throw Failure("ARGUMENT_INVALID", "only a key in the TPM can be certified");
      return tss::tpm::certify(call, worker(), device_, signer->key());
    });
  }
  Napi::Value loadKey(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      worker();
      const auto key = std::make_shared<Key>(blobOf(call[0]));
      return worker().submit(
          call.Env(), [device = device_, key] { device->load(key); },
          [worker = worker_, device = device_, key](Napi::Env env) {
            return KeyObject::wrap(env, std::make_shared<KeySigner>(worker, device, key));
          });
    });
  }
  Napi::Value close(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      return worker().submit(
          call.Env(), [device = device_] { device->shutdown(); },
          [](Napi::Env env) { return env.Undefined(); }, Worker::Then::end);
    });
  }

  std::shared_ptr<Worker> worker_;
  std::shared_ptr<Device> device_;
};

/** `openTpm(tcti: string, ownerAuth: string, keepLoaded: boolean): Promise<Tpm>` */
Napi::Value openTpm(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const auto device = std::make_shared<Device>(info[0].As<Napi::String>().Utf8Value(),
                                                 info[1].As<Napi::String>().Utf8Value(), info[2].ToBoolean());
    const auto worker = Worker::start(
        env, "node-tss tpm", [device] { device->flushIdle(); }, [device] { device->shutdown(); });
    return worker->submit(
        env, [device] { device->open(); },
        [worker, device](Napi::Env inner) { return TpmObject::wrap(inner, worker, device); });
  });
}

}  // namespace

void exportTpm(Napi::Env env, Napi::Object exports) {
  Classes& classes = Classes::of(env);
  classes.tpm = Napi::Persistent(TpmObject::define(env));
  classes.tpmKey = Napi::Persistent(KeyObject::define(env));
  exports.Set("openTpm", Napi::Function::New<openTpm>(env, "openTpm"));
}

std::shared_ptr<Signer> signerOf(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kKeyTag)) return nullptr;
  return KeyObject::Unwrap(value.As<Napi::Object>())->signer();
}

}  // namespace tss::tpm
