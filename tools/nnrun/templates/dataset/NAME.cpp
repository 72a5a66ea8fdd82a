// Two spirals around each other, the points of each a class: Lang and Witbrock 1988. Make it yours.
#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numbers>

struct @CLASS@ {
  static constexpr auto name = "@NAME@";  // as configs write it
  static constexpr auto doc = "points (x, y) on two spirals; the class says which spiral";
  static constexpr bool drawn = true;  // made up: a run's report says so

  std::int64_t count = 2000;
  double noise = 0.02;

  static constexpr auto params() {
    return nnrun::schema(
        nnrun::param<&@CLASS@::count>("count", "samples to train; a quarter of it to test, and to validate").range(8, 1e7),
        nnrun::param<&@CLASS@::noise>("noise", "how far a point may lie beside its spiral, along x and along y").range(0, 1));
  }

  // One opened split. read() may come from any thread, for any index; the same index is always the same sample.
  struct Split {
    nnrun_random_key key;
    float noise;

    void read(std::int64_t index, const nnrun::Tensor& sample, void* label) const {
      const auto which = static_cast<std::int32_t>(index % 2);
      nnrun_random_key own = key;
      own.minor = static_cast<std::uint32_t>(index);
      nnrun::Random random(own);
      const float along = std::sqrt(random.next_uniform());  // evenly dense, where the spiral is long as well
      const float angle = along * 3 * std::numbers::pi_v<float> + (which == 0 ? 0 : std::numbers::pi_v<float>);
      float* point = sample.data();
      point[0] = along * std::cos(angle) + random.next_uniform(-noise, noise);
      point[1] = along * std::sin(angle) + random.next_uniform(-noise, noise);
      std::memcpy(label, &which, sizeof which);
    }
  };

  // `path` is data.train or data.test. A dataset with files has `int present(const std::string& path) const`, too.
  std::unique_ptr<Split> open(const nnrun::Host&, const std::string&, nnrun_split split, std::uint64_t seed,
                              nnrun_dataset_info& info) const {
    static constexpr const char* class_names[] = {"inwards", "outwards"};
    info.count = split == NNRUN_SPLIT_TRAIN ? count : std::max<std::int64_t>(count / 4, 2);
    info.sample = nnrun::make_tensor(NNRUN_F32, nnrun::Shape{2});
    info.classes = 2;
    info.class_names = class_names;
    const nnrun_random_key key{seed, NNRUN_STREAM_DATASET, static_cast<std::uint32_t>(split), 0};
    return std::make_unique<Split>(Split{key, static_cast<float>(noise)});
  }
};

NNRUN_PLUGIN("@NAME@", "0.1.0", @CLASS@)
