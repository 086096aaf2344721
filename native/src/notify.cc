#include "notify.hh"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "failure.hh"

namespace tss {
namespace {

/** A socket that is closed whatever happens. */
class Socket {
 public:
  Socket() : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/** unix(7): a path, or after '@' the name of an abstract socket, which has no end mark. */
socklen_t fill(sockaddr_un& address, const std::string& name) {
  const bool isAbstract = !name.empty() && name[0] == '@';
  if ((!isAbstract && (name.empty() || name[0] != '/')) || name.size() < 2 ||
      name.size() >= sizeof address.sun_path || name.find('\0') != std::string::npos)
    throw Failure("ARGUMENT_INVALID", "the socket must be an absolute path or @name, of 107 bytes at most");
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name.data(), name.size());
  if (isAbstract) address.sun_path[0] = '\0';
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (isAbstract ? 0 : 1));
}

void send(const std::string& name, const std::string& state) {
  sockaddr_un address{};
  const socklen_t length = fill(address, name);
  const Socket socket;
  // A manager that does not read must not hold the caller up.
  const ssize_t sent = socket.descriptor() < 0 ? -1
                                               : sendto(socket.descriptor(), state.data(), state.size(),
                                                        MSG_NOSIGNAL | MSG_DONTWAIT,
                                                        reinterpret_cast<const sockaddr*>(&address), length);
  if (sent < 0) throw Failure("CONNECTION_FAILED", name + ": " + strerror(errno));
}

void notify(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { send(info[0].As<Napi::String>(), info[1].As<Napi::String>()); });
}

}  // namespace

void exportNotify(Napi::Env env, Napi::Object exports) {
  exports.Set("notify", Napi::Function::New(env, notify));
}

}  // namespace tss
