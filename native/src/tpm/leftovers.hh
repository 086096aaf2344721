#pragma once

#include <memory>
#include <set>

#include "tpm/endorsement.hh"
#include "tpm/esys.hh"
#include "tpm/key.hh"

namespace tss::tpm {

/**
 * Flush copies of these keys that nobody holds any more: behind a connection that broke, or of a process that
 * was killed. A raw TPM does not notice that its client went away, and what is loaded fills one of its slots
 * until the next reset. An object counts as ours by its whole public area, so that foreign ones stay.
 * Best effort: the command that follows meets, and reports, whatever is wrong with the TPM.
 */
void flushLeftovers(const Esys& esys, const std::set<std::shared_ptr<Key>>& keys) noexcept;

/** Flush sessions that were open on a connection that broke; forgets them. Best effort, as above. */
void flushSessions(const Esys& esys, OpenSessions& sessions) noexcept;

}  // namespace tss::tpm
