#include "base/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace nnrun::core {

namespace {

std::atomic<int> received{0};
struct sigaction previous_interrupt, previous_terminate;

void on_signal(int number) {
  if (received.exchange(number) != 0) _exit(128 + number);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  received = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &previous_interrupt);
  sigaction(SIGTERM, &action, &previous_terminate);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &previous_interrupt, nullptr);
  sigaction(SIGTERM, &previous_terminate, nullptr);
}

int InterruptGuard::signal() { return received; }

}  // namespace nnrun::core
