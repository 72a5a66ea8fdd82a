// SIGINT and SIGTERM: the first asks to stop after the step, the second stops at once.
#pragma once

namespace nnrun::core {

class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // The signal that came since the guard was made; 0: none.
  static int signal();
};

}  // namespace nnrun::core
