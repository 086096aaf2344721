#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <thread>

#include "failure.hh"

namespace tss {

/**
 * One thread and its queue. Jobs run in order; promises settle on the JavaScript thread.
 * Neither the event loop nor libuv's pool ever waits for a job.
 */
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  using Work = std::function<void()>;
  using Present = std::function<Napi::Value(Napi::Env)>;
  enum class Then { goOn, end };

  /**
   * @param whenIdle runs on the thread behind a job, after its promise was settled, unless another one waits
   * @param atEnd runs on the thread as its last act, also when the process exits
   */
  static std::shared_ptr<Worker> start(Napi::Env env, const char* name, Work whenIdle, Work atEnd);

  /** Jobs still queued are dropped; waits for the one that runs. */
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /** Queue a job whose outcome interests nobody; what it throws is dropped. Any thread. */
  void post(Work work);

  /**
   * A job comes within a millisecond: the thread wakes now and looks out for it, so that the job does not
   * wait for a processor to wake. Any thread; costs nothing when the thread is at work.
   */
  void alert();

  /** Queue a job. JavaScript thread only. `Then::end`: it is the last one, later ones are refused. */
  Napi::Promise submit(Napi::Env env, Work work, Present present, Then then = Then::goOn);

  template <typename Result>
  Napi::Promise run(Napi::Env env, std::function<Result()> work,
                    std::function<Napi::Value(Napi::Env, Result&)> present) {
    auto result = std::make_shared<Result>();
    return submit(
        env, [result, work] { *result = work(); },
        [result, present](Napi::Env inner) { return present(inner, *result); });
  }

  struct State;

 private:
  explicit Worker(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace tss
