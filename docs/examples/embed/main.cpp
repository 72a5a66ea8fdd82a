// nnrun inside another program: trains for an epoch, loads what came out, and asks it about a picture.
//   embed CONFIG            eg: embed embed.yaml
#include <nnrun/runtime.hpp>

#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: embed CONFIG\n");
    return 2;
  }
  try {
    nnrun::Runtime runtime;
    const nnrun::TrainResult trained = runtime.train(argv[1], {"train.epochs=1"});
    std::printf("trained: test loss %.3f, weights in %s\n", trained.test_loss, trained.checkpoint.c_str());

    nnrun::Model model = runtime.load(trained.checkpoint);
    for (const auto& [name, value] : model.evaluate().metrics) std::printf("%s %.1f %%\n", name.c_str(), 100 * value);

    // A sample as the net takes it, behind the transforms: 28 x 28 numbers in 0..1. This one is a vertical stroke.
    std::vector<float> picture(static_cast<std::size_t>(model.input_size()), 0.0f);
    for (std::size_t y = 5; y < 23; ++y) picture[y * 28 + 13] = picture[y * 28 + 14] = 1.0f;
    const nnrun::Prediction answer = model.predict(picture);
    std::printf("a vertical stroke is taken for: %s (%.1f %%)\n", answer.class_name.c_str(),
                100 * static_cast<double>(answer.probabilities[answer.class_index]));
    return 0;
  } catch (const nnrun::RuntimeError& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return e.exit_code();
  }
}
