#include "tls/records.hh"

#include <algorithm>

namespace tss::tls {
namespace {

int readFrom(BIO* bio, char* to, size_t length, size_t* done) {
  BIO_clear_retry_flags(bio);
  if (static_cast<Records*>(BIO_get_data(bio))->read(reinterpret_cast<uint8_t*>(to), length, done) == 1)
    return 1;
  BIO_set_retry_read(bio);
  return -1;
}

int writeTo(BIO* bio, const char* from, size_t length, size_t* done) {
  BIO_clear_retry_flags(bio);
  static_cast<Records*>(BIO_get_data(bio))->write(reinterpret_cast<const uint8_t*>(from), length);
  *done = length;
  return 1;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tss records");
    BIO_meth_set_read_ex(fresh, readFrom);
    BIO_meth_set_write_ex(fresh, writeTo);
    BIO_meth_set_ctrl(fresh, control);
    return fresh;
  }();
  return made;
}

}  // namespace

void Records::feed(const uint8_t* data, size_t length) {
  next_ = data;
  left_ = length;
}

void Records::settle() {
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(keptFrom_));
  keptFrom_ = 0;
  kept_.insert(kept_.end(), next_, next_ + left_);
  next_ = nullptr;
  left_ = 0;
}

Bytes Records::take() {
  Bytes taken;
  taken.swap(outgoing_);
  return taken;
}

void Records::attach(SSL* ssl) {
  BIO* const bio = BIO_new(method());
  if (bio == nullptr) throw Failure("TLS_PROTOCOL", "out of memory");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
}

int Records::read(uint8_t* to, size_t length, size_t* done) {
  const size_t old = std::min(length, kept_.size() - keptFrom_);
  std::copy_n(kept_.data() + keptFrom_, old, to);
  keptFrom_ += old;
  const size_t fresh = std::min(length - old, left_);
  std::copy_n(next_, fresh, to + old);
  next_ += fresh;
  left_ -= fresh;
  *done = old + fresh;
  return *done > 0 ? 1 : 0;
}

}  // namespace tss::tls
