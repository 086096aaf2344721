#pragma once

#include <napi.h>

#include "signer.hh"

namespace tss::tpm {

/** Exports `openTpm` and the classes that it hands out. */
void exportTpm(Napi::Env env, Napi::Object exports);

/** The signer behind a key object of this module, null for any other value. */
std::shared_ptr<Signer> signerOf(const Napi::Value& value);

}  // namespace tss::tpm
