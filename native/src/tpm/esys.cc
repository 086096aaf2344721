#include "tpm/esys.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tss::tpm {
namespace {

constexpr std::array<const char*, 4> kTransports = {"device", "swtpm", "mssim", "tabrmd"};
constexpr const char* kDefaultDevice = "/dev/tpmrm0";

struct Address {
  std::string transport;
  std::string options;
};

Address parse(const std::string& tcti) {
  const size_t colon = tcti.find(':');
  Address address{tcti.substr(0, colon), colon == std::string::npos ? "" : tcti.substr(colon + 1)};
  for (const char* known : kTransports) {
    if (address.transport != known) continue;
    // tpm2-tss would fall back to the unmanaged /dev/tpm0; the choice has to be somebody's, not chance's.
    if (address.transport == "device" && address.options.empty()) address.options = kDefaultDevice;
    return address;
  }
  // The loader of tpm2-tss runs any command (`cmd:`) and loads any library by name.
  throw Failure("ARGUMENT_INVALID", "tcti must begin with device:, swtpm:, mssim: or tabrmd:");
}

/** The errno that stands between us and the TPM, or 0 where the path is fine or there is none. */
int obstacle(const Address& address) {
  if (address.transport == "device") {
    const int fd = open(address.options.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return errno;
    close(fd);
    return 0;
  }
  const std::string key = "path=";
  if (address.transport != "swtpm" || address.options.compare(0, key.size(), key) != 0) return 0;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string path = address.options.substr(key.size());
  if (path.size() >= sizeof name.sun_path) return ENAMETOOLONG;
  std::memcpy(name.sun_path, path.c_str(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) < 0 ? errno : 0;
  close(fd);
  return result;
}

[[noreturn]] void refuse(const Address& address, TSS2_RC rc) {
  const int error = obstacle(address);
  const std::string where = address.transport + ":" + address.options;
  if (error == EACCES || error == EPERM)
    throw Failure("TPM_ACCESS_DENIED", where + ": permission denied; is the player's user in group tss?", rc);
  if (error == EBUSY) throw Failure("TPM_CONNECTION", where + " is in use by another program", rc);
  if (error == 0 && address.transport == "device")
    throw Failure("TPM_CONNECTION", where + " does not answer as a TPM", rc);
  const std::string why = error == 0 ? "nothing answers" : std::strerror(error);
  throw Failure("TPM_ABSENT", "No TPM 2.0 found at " + where + " (" + why + ")", rc);
}

/** tpm2-tss opens the device without O_CLOEXEC; the programs that this process starts must not inherit the
 * TPM. */
void keepFromChildren(TSS2_TCTI_CONTEXT* transport) {
  std::array<TSS2_TCTI_POLL_HANDLE, 4> handles{};
  size_t count = 0;
  if (Tss2_Tcti_GetPollHandles(transport, nullptr, &count) != TSS2_RC_SUCCESS || count > handles.size() ||
      Tss2_Tcti_GetPollHandles(transport, handles.data(), &count) != TSS2_RC_SUCCESS)
    return;
  for (size_t i = 0; i < count; i++) fcntl(handles[i].fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace

bool hasResourceManager(const std::string& tcti) {
  const Address address = parse(tcti);
  return address.transport == "tabrmd" ||
         (address.transport == "device" && address.options.find("tpmrm") != std::string::npos);
}

Esys::Esys(const std::string& tcti) {
  const Address address = parse(tcti);
  TSS2_RC rc = Tss2_TctiLdr_Initialize((address.transport + ":" + address.options).c_str(), &transport_);
  if (rc != TSS2_RC_SUCCESS) refuse(address, rc);
  // swtpm's and mssim's connections last for one command each.
  if (address.transport == "device") keepFromChildren(transport_);
  rc = Esys_Initialize(&context_, transport_, nullptr);
  if (rc != TSS2_RC_SUCCESS) {
    Tss2_TctiLdr_Finalize(&transport_);
    refuse(address, rc);
  }
}

Esys::~Esys() {
  Esys_Finalize(&context_);
  Tss2_TctiLdr_Finalize(&transport_);
}

}  // namespace tss::tpm
