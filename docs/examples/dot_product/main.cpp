// Calls the kernel of plugins/kernels/sse_asm/dot_product.asm from C++: docs/x86-assembly.md goes through it.
#include <cstdint>
#include <iostream>
#include <vector>

extern "C" float dot_product(const float* a, const float* b, std::int64_t count);

int main() {
  for (const std::int64_t count : {0, 1, 3, 4, 15, 16, 39}) {
    std::vector<float> a, b;
    for (std::int64_t i = 0; i < count; ++i) {
      a.push_back(static_cast<float>(i % 5));
      b.push_back(static_cast<float>(i % 3));
    }
    float expected = 0;
    for (std::int64_t i = 0; i < count; ++i) expected += a[static_cast<std::size_t>(i)] * b[static_cast<std::size_t>(i)];
    const float got = dot_product(a.data(), b.data(), count);
    std::cout << count << " products: " << got << (got == expected ? "" : ", which is wrong") << '\n';
    if (got != expected) return 1;
  }
}
