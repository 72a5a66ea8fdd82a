#pragma once

#include <memory>
#include <nnrun/plugin.hpp>

#include "pet_painter.hpp"

namespace nnrun::datasets {

// Stand-ins for photographs of cats and dogs. Even samples are cats, odd ones dogs; sample i depends on the seed, the split and i
// alone.
struct DrawnPets {
  static constexpr auto name = "drawn_pets";
  static constexpr auto doc = "cats and dogs drawn by a program, 128 x 128 RGB, to try things without photographs";
  static constexpr bool drawn = true;

  std::int64_t count = 4000;

  static constexpr auto params() {
    return schema(
        param<&DrawnPets::count>("count", "samples to train; to test, and to validate, there is a quarter of it").range(16, 200000));
  }

  class Split {
   public:
    Split(const Host& host, std::int64_t count, nnrun_random_key key)
        : pixels_(std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(count * sample_bytes))) {
      for (std::int64_t i = 0; i < count; ++i) labels_.push_back(static_cast<std::int32_t>(i % 2));
      host.parallel_elements(
          count,
          [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
              nnrun_random_key sample_key = key;
              sample_key.minor = static_cast<std::uint32_t>(i);
              const auto painter = std::make_unique<PetPainter>(i % 2 == 1, sample_key);
              painter->paint(pixels_.get() + i * sample_bytes);
            }
          },
          16);
    }

    const std::int32_t* labels() const { return labels_.data(); }

    void read(std::int64_t index, const Tensor& sample, void* label) const {
      std::memcpy(sample.data<std::uint8_t>(), pixels_.get() + index * sample_bytes, static_cast<std::size_t>(sample_bytes));
      std::memcpy(label, &labels_[static_cast<std::size_t>(index)], sizeof(std::int32_t));
    }

   private:
    static constexpr std::int64_t sample_bytes = PetPainter::side * PetPainter::side * 3;
    std::unique_ptr<std::uint8_t[]> pixels_;
    std::vector<std::int32_t> labels_;
  };

  std::unique_ptr<Split> open(const Host& host, const std::string&, nnrun_split split, std::uint64_t seed, nnrun_dataset_info& info) const {
    static constexpr const char* class_names[] = {"cat", "dog"};
    info.count = split == NNRUN_SPLIT_TRAIN ? count : count / 4;
    info.sample = make_tensor(NNRUN_U8, Shape{PetPainter::side, PetPainter::side, 3});
    info.classes = 2;
    info.class_names = class_names;
    auto made =
        std::make_unique<Split>(host, info.count, nnrun_random_key{seed, NNRUN_STREAM_DATASET, static_cast<std::uint32_t>(split), 0});
    info.labels = made->labels();
    return made;
  }
};

}  // namespace nnrun::datasets
