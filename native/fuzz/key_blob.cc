#include <cstring>
#include <string>

#include "input.hh"
#include "tpm/key.hh"

using namespace tss;
using tss::fuzz::require;

/**
 * The two TPM2B structures of a key file, as `loadKey` hands them over: two bytes with the length of the
 * first, the first, the second. Whatever is accepted must be the one encoding of what was understood.
 */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const size_t length = static_cast<size_t>(input.byte()) << 8 | input.byte();
  tpm::KeyBlob blob;
  blob.parent = 0x40000001;
  blob.publicArea = input.bytes(length);
  blob.privateArea = input.rest();
  try {
    const tpm::Key key(blob);
    const tpm::KeyBlob again = tpm::toBlob(blob.parent, key.publicArea, key.privateArea);
    require(again.publicArea == blob.publicArea, "an accepted public area is in its one encoding");
    require(again.privateArea == blob.privateArea, "an accepted private area is in its one encoding");
    require(key.point[0] == 0x04, "an accepted key has an uncompressed point");
    require(key.object == ESYS_TR_NONE, "a key is not loaded before it was asked for");
  } catch (const Failure& failure) {
    require(std::strcmp(failure.code(), "KEY_INVALID") == 0, "a blob is refused as KEY_INVALID");
  }
  return 0;
}
