#include "worker.hh"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <set>

namespace tss {
namespace {

struct Job {
  std::shared_ptr<Worker::State> owner;
  std::shared_ptr<Worker> keeper;  // a promise keeps its worker alive
  Worker::Work work;
  Worker::Present present;
  std::optional<Napi::Promise::Deferred> deferred;
  std::optional<Failure> failure;
  bool last = false;
};

void settle(Napi::Env env, Napi::Function, std::nullptr_t*, Job* job);
using Bridge = Napi::TypedThreadSafeFunction<std::nullptr_t, Job, settle>;

}  // namespace

/** What the thread and its handles share; the thread keeps it alive, so that either may go first. */
struct Worker::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::unique_ptr<Job>> queue;
  bool closed = false;     // no further jobs
  bool abandoned = false;  // drop what is queued, deliver nothing more
  bool ended = false;
  bool alerted = false;
  std::atomic<bool> called{
      false};  // something is queued, or all is over: what the lookout sees without the mutex
  Work whenIdle;
  Work atEnd;
  Bridge bridge;                      // the thread holds it, and gives it back as its last act
  bool bridgeGone = false;            // the environment took it along, or may have
  unsigned pending = 0;               // JavaScript thread only
  Napi::Env::CleanupHook<Work> hook;  // JavaScript thread only
  bool hookRan = false;               // JavaScript thread only

  void run();
  void lookOut();
  void deliver(std::unique_ptr<Job> job);
  void abandon();
  void releaseBridge();
  void disownBridge();
  bool isIdle() {
    const std::lock_guard lock(mutex);
    return queue.empty();
  }
};

namespace {

/** Every thread that runs. Never destroyed: threads may outlive static destructors. */
struct Running {
  std::mutex mutex;
  std::set<std::shared_ptr<Worker::State>> states;
};

// process.exit() runs no clean-up hook of Node-API, and a key left in a raw TPM fills one of its three
// slots until the next reset: atexit is what still runs. Bounded, because a TPM may have died.
constexpr std::chrono::seconds kExitPatience{2};

constexpr std::chrono::milliseconds kAlert{1};

void endAll();

Running& running() {
  static Running* const all = [] {
    std::atexit(endAll);
    return new Running;
  }();
  return *all;
}

void awaitEnd(Worker::State& state) {
  state.abandon();
  std::unique_lock lock(state.mutex);
  state.changed.wait_for(lock, kExitPatience, [&] { return state.ended; });
}

void endAll() {
  std::set<std::shared_ptr<Worker::State>> states;
  {
    const std::lock_guard lock(running().mutex);
    states = running().states;
  }
  for (const auto& state : states) state->disownBridge();
  for (const auto& state : states) awaitEnd(*state);
}

void settle(Napi::Env env, Napi::Function, std::nullptr_t*, Job* raw) {
  const std::unique_ptr<Job> job(raw);
  // Without an environment the isolate is being torn down and nobody waits any more.
  if (static_cast<napi_env>(env) == nullptr) return;
  const Napi::HandleScope scope(env);
  Worker::State& owner = *job->owner;
  if (--owner.pending == 0) owner.bridge.Unref(env);
  try {
    if (job->failure)
      job->deferred->Reject(toError(env, *job->failure).Value());
    else
      job->deferred->Resolve(job->present(env));
  } catch (const Napi::Error& error) {
    job->deferred->Reject(error.Value());
  } catch (const std::exception& other) {
    job->deferred->Reject(Napi::Error::New(env, other.what()).Value());
  }
}

}  // namespace

void Worker::State::abandon() {
  std::deque<std::unique_ptr<Job>> dropped;
  {
    const std::lock_guard lock(mutex);
    closed = abandoned = true;
    called = true;
    dropped.swap(queue);
  }
  changed.notify_all();
  // A job dropped here never settles: its promise belongs to a process or an environment that ends.
  for (auto& job : dropped) static_cast<void>(job.release());
}

void Worker::State::deliver(std::unique_ptr<Job> job) {
  if (!job->deferred) return;
  {
    const std::lock_guard lock(mutex);
    if (abandoned) {
      static_cast<void>(job.release());
      return;
    }
  }
  Job* const raw = job.release();
  // Refused only while the environment ends: then the job leaks rather than its promise be touched here.
  static_cast<void>(bridge.NonBlockingCall(raw));
}

/** What was called through it before still arrives; then its finalizer runs. */
void Worker::State::releaseBridge() {
  const std::lock_guard lock(mutex);
  if (!bridgeGone) bridge.Release();
}

void Worker::State::disownBridge() {
  const std::lock_guard lock(mutex);
  bridgeGone = true;
}

/** Waits without sleeping, for a moment. */
void Worker::State::lookOut() {
  const auto end = std::chrono::steady_clock::now() + kAlert;
  while (!called && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

void Worker::State::run() {
  for (bool last = false; !last;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock lock(mutex);
      const auto isCalled = [&] { return abandoned || !queue.empty(); };
      changed.wait(lock, [&] { return isCalled() || alerted; });
      if (!isCalled()) {
        lock.unlock();
        lookOut();
        lock.lock();
        alerted = false;
        changed.wait(lock, isCalled);
      }
      alerted = false;
      called = false;
      if (abandoned) break;
      job = std::move(queue.front());
      queue.pop_front();
    }
    last = job->last;
    try {
      job->work();
    } catch (const Failure& failure) {
      job->failure = failure;
    } catch (const std::exception& other) {
      job->failure = Failure("TPM_FAILED", other.what());
    }
    deliver(std::move(job));
    if (!last && isIdle()) whenIdle();
  }
  atEnd();
  releaseBridge();
  {
    const std::lock_guard lock(running().mutex);
    for (auto it = running().states.begin(); it != running().states.end(); ++it)
      if (it->get() == this) {
        running().states.erase(it);
        break;
      }
  }
  const std::lock_guard lock(mutex);
  ended = closed = true;
  changed.notify_all();
}

std::shared_ptr<Worker> Worker::start(Napi::Env env, const char* name, Work whenIdle, Work atEnd) {
  auto state = std::make_shared<State>();
  state->whenIdle = std::move(whenIdle);
  state->atEnd = std::move(atEnd);
  // A worker that ended, by close() or because its TPM could not be opened, leaves nothing in the
  // environment.
  const auto forgetHook = [state](Napi::Env inner, void*, std::nullptr_t*) {
    if (!state->hookRan) state->hook.Remove(inner);
  };
  state->bridge = Bridge::New(env, name, 0, 1, static_cast<std::nullptr_t*>(nullptr), forgetHook);
  state->bridge.Unref(env);
  // Hooks run last in, first out: this one, made after the bridge, still finds the bridge alive.
  state->hook = env.AddCleanupHook(Work([state] {
    state->hookRan = true;
    awaitEnd(*state);
    state->disownBridge();
  }));
  {
    const std::lock_guard lock(running().mutex);
    running().states.insert(state);
  }
  std::shared_ptr<Worker> worker(new Worker(state));
  worker->thread_ = std::thread([state] { state->run(); });
  pthread_setname_np(worker->thread_.native_handle(), name);
  return worker;
}

Worker::~Worker() {
  bool closed;
  {
    const std::lock_guard lock(state_->mutex);
    closed = state_->closed;
  }
  if (!closed) state_->abandon();
  // The last handle can go away inside a job, on the thread itself, which cannot wait for itself.
  if (closed || thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

void Worker::post(Work work) {
  auto job = std::make_unique<Job>();
  job->work = std::move(work);
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return;
    state_->queue.push_back(std::move(job));
    state_->called = true;
  }
  state_->changed.notify_all();
}

void Worker::alert() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->alerted || !state_->queue.empty()) return;
    state_->alerted = true;
  }
  state_->changed.notify_all();
}

Napi::Promise Worker::submit(Napi::Env env, Work work, Present present, Then then) {
  auto job = std::make_unique<Job>();
  job->owner = state_;
  job->keeper = shared_from_this();
  job->work = std::move(work);
  job->present = std::move(present);
  job->deferred.emplace(Napi::Promise::Deferred::New(env));
  job->last = then == Then::end;
  const Napi::Promise promise = job->deferred->Promise();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) {
      job->deferred->Reject(toError(env, Failure("KEY_CLOSED", "this TPM was closed")).Value());
      return promise;
    }
    if (state_->pending++ == 0) state_->bridge.Ref(env);
    state_->closed = job->last;
    state_->queue.push_back(std::move(job));
    state_->called = true;
  }
  state_->changed.notify_all();
  return promise;
}

}  // namespace tss
