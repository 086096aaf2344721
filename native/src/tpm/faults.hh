#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <string>

#include "failure.hh"

namespace tss::tpm {

/** What was being done when the TPM refused; the same return code means different things in different steps.
 */
enum class Step {
  query,
  startup,
  parent,
  createPrimary,
  create,
  load,
  contextLoad,
  sign,
  flush,
  endorsement,
  activate,
  certify
};

/** Return codes that the recovery in `Device::attempt` tells apart. */
enum class Fault { connection, notStarted, slotsFull, retry, handleGone, lockedOut, integrity, other };

Fault faultOf(TSS2_RC rc);

/** @throws Failure with the code and remedy for this step, unless `rc` is success */
void check(TSS2_RC rc, Step step, TPM2_HANDLE handle = 0);

/** Handles as people write them: `0x81000001`. */
std::string hex(uint32_t value);

}  // namespace tss::tpm
