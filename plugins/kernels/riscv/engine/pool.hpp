// Guests take milliseconds to make, so they are kept for whoever calls next; each serves one thread at a time.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace nnrun_riscv {

template <class Guest>
class Pool {
 public:
  // `make` returns a std::unique_ptr<Guest>.
  template <class Make, class Use>
  void with(const Make& make, const Use& use) {
    std::unique_ptr<Guest> guest = take();
    if (!guest) guest = make();
    // Also after an error: guests start anew with each call.
    struct Return {
      Pool& pool;
      std::unique_ptr<Guest>& guest;
      ~Return() { pool.give(std::move(guest)); }
    } const returned{*this, guest};
    use(*guest);
  }

 private:
  std::unique_ptr<Guest> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<Guest> guest = std::move(idle_.back());
    idle_.pop_back();
    return guest;
  }
  void give(std::unique_ptr<Guest> guest) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(guest));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Guest>> idle_;
};

}  // namespace nnrun_riscv
