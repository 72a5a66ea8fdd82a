// nnrun CONFIG [key=value...], and the verbs. Exit codes: 0 done, 1 failed at run time, 2 wrong config or usage, 130/143
// interrupted.
#include "commands.hpp"

#include "base/error.hpp"
#include "config/diagnostic.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace {

using nnrun::tool::Options;

constexpr const char* about =
    "Trains and runs neural networks from YAML files.\n\n"
    "  nnrun CONFIG [key=value...]       train, validate and test, eg: nnrun configs/mnist_mlp.yaml train.epochs=5\n"
    "  nnrun explain                     what a config may say\n"
    "  nnrun VERB --help                 more about one of the verbs below";

struct Verb {
  const char* name;
  const char* doc;
  int (*run)(const Options&);
  const char* subject;  // NULL: takes none
  const char* subject_doc;
  bool subject_required;
  const char* words;  // NULL: takes none
  bool json;
};

constexpr Verb verbs[] = {
    {"train", "train, validate and test a config; the same as without a verb", nnrun::tool::train, "CONFIG", "the config", true,
     "key=value", false},
    {"plan", "what each layer computes, needs and costs", nnrun::tool::plan, "CONFIG|MODEL",
     "the config; or a checkpoint, for its inference alone", true, "key=value", true},
    {"eval", "test a checkpoint", nnrun::tool::evaluate, "MODEL", "the checkpoint", true, "key=value", true},
    {"predict", "answer for files, eg: pictures", nnrun::tool::predict, "MODEL", "the checkpoint", true, "FILE", true},
    {"bench", "time, GFLOP/s and share of peak of each layer", nnrun::tool::bench, "CONFIG|MODEL",
     "the config; or a checkpoint, for its inference alone", true, "key=value", true},
    {"explain", "components and their parameters", nnrun::tool::explain, "NAME", "a component, a kind or a section", false, nullptr, false},
    {"plugins", "what was loaded from where, and what was skipped", nnrun::tool::list_plugins, nullptr, nullptr, false, nullptr, true},
    {"kernels", "which kernels this CPU gets", nnrun::tool::list_kernels, nullptr, nullptr, false, nullptr, true},
    {"schema", "a JSON Schema of configs, for editors", nnrun::tool::print_schema, nullptr, nullptr, false, nullptr, false},
    {"new", "start a plugin of your own: a folder that builds and tests", nnrun::tool::new_plugin, "KIND",
     "layer, optimizer, dataset or kernels", true, "NAME", false},
    {"check-plugin", "load a plugin and check its components", nnrun::tool::check_plugin, "FILE", "the shared library", true, nullptr,
     false},
    {"check-gradients", "compare the net's gradients with finite differences", nnrun::tool::check_gradients, "CONFIG", "the config", true,
     "key=value", true},
    {"trace", "one sample through the net: each layer's tensors, forward and backward", nnrun::tool::trace, "CONFIG|MODEL",
     "the config, or a checkpoint (.safetensors)", true, "key=value", true},
    {"quantize", "make a trained net into one of integers, and compare both on the test set", nnrun::tool::quantize, "MODEL",
     "the checkpoint", true, "SCHEME", false},
    {"export", "write a trained net as a program or as data for elsewhere, eg: as C", nnrun::tool::export_model, "MODEL", "the checkpoint",
     true, "FORMAT", false},
    {"inspect", "weights and activations of a checkpoint: statistics, histograms, pictures, .npy", nnrun::tool::inspect, "MODEL",
     "the checkpoint", true, "LAYER", true},
    {"profile", "how many instructions each layer and kernel takes, of which kinds, and where", nnrun::tool::profile, "MODEL",
     "the checkpoint", true, "key=value", true},
};

bool is_verb(const std::string& word) {
  return std::any_of(std::begin(verbs), std::end(verbs), [&](const Verb& verb) { return word == verb.name; });
}

// "pedict" is neither a verb nor a config, and not like a file.
void refuse_mistyped_verb(const std::string& word) {
  if (word.starts_with('-') || word.find_first_of("./=") != std::string::npos || std::filesystem::exists(word)) return;
  std::vector<std::string> names;
  for (const Verb& verb : verbs) names.emplace_back(verb.name);
  const std::string suggestion = nnrun::core::did_you_mean(word, names);
  throw nnrun::core::DiagnosticError(
      {}, "there is no verb and no config " + nnrun::core::quote(word) + (suggestion.empty() ? "; see nnrun --help" : "; " + suggestion));
}

// `nnrun CONFIG ...` means `nnrun train CONFIG ...`.
std::vector<std::string> with_verb(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const bool plain_help = words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "--version";
  if (!plain_help && !is_verb(words[0])) {
    refuse_mistyped_verb(words[0]);
    words.insert(words.begin(), "train");
  }
  return words;
}

void add_plan_options(CLI::App& sub, Options& options) {
  sub.add_flag("--why", options.why, "each kernel that a layer asks for: what it gets, why, and what else there is");
  sub.add_flag("--inference", options.inference,
               "as evaluation and prediction run it: forward alone, batch norms folded into the weights before them");
}

void add_trace_options(CLI::App& sub, Options& options) {
  sub.add_option("--input", options.input,
                 "a .npy file, ones, ramp, or a file that the data's kind reads, eg: a picture (default: a training sample)")
      ->type_name("INPUT");
  sub.add_option("--index", options.index, "which training sample, or sample of a file that holds several, from 0")
      ->check(CLI::NonNegativeNumber);
  sub.add_option("--batch", options.batch, "how many training samples, ones or ramps")->check(CLI::Range(1, 65536));
  sub.add_option("--label", options.label, "the input's class, so that backward starts from the loss")->check(CLI::NonNegativeNumber);
  sub.add_option("--against", options.against, "scalar, or a .npz file whose arrays have the names that trace prints")
      ->type_name("REFERENCE");
  sub.add_option("--tolerance", options.tolerance, "the largest relative difference that passes")->check(CLI::NonNegativeNumber);
  sub.add_option("--save", options.save, "write input, weights and all tensors")->type_name("FILE.npz");
  sub.add_flag("--fused", options.fused, "as training runs it: layers may absorb those behind them");
  sub.add_flag("--inference", options.inference, "forward alone, as in prediction");
}

void add_inspect_options(CLI::App& sub, Options& options) {
  sub.add_option("--input", options.input,
                 "show what each layer makes of it: a .npy file, ones, ramp, or a file that the data's kind reads, eg: a picture")
      ->type_name("INPUT");
  sub.add_option("--index", options.index, "which sample of a file that holds several, from 0")->check(CLI::NonNegativeNumber);
  sub.add_option("--npy", options.npy, "write each tensor as a .npy file there")->type_name("DIR");
  sub.add_option("--picture", options.picture, "draw the first tensor that is a picture: filters, or activations")->type_name("FILE.png");
}

void add_verb(CLI::App& app, const Verb& verb, Options& options, const Verb*& chosen) {
  CLI::App* sub = app.add_subcommand(verb.name, verb.doc);
  sub->callback([&chosen, &verb] { chosen = &verb; });
  if (verb.subject != nullptr) {
    CLI::Option* subject = sub->add_option("subject", options.subject, verb.subject_doc)->type_name(verb.subject);
    if (verb.subject_required) subject->required();
  }
  if (verb.words != nullptr) sub->add_option("words", options.words, "")->type_name(verb.words);
  sub->add_option("--plugin-path", options.plugin_folders, "a folder to search for plugins, before the others")
      ->type_name("DIR")
      ->expected(1);
  if (verb.json) sub->add_flag("--json", options.json, "one JSON document");
  const std::string name = verb.name;
  if (name == "train" || name == "eval" || name == "bench" || name == "plan" || name == "check-gradients" || name == "trace" ||
      name == "inspect" || name == "quantize" || name == "export" || name == "profile") {
    sub->add_option("--data", options.data, "where relative data paths start (default: $NNRUN_DATA, or datasets)")->type_name("DIR");
  }
  if (name == "train") {
    sub->add_option("--resume", options.resume, "go on with the latest run of this config, or with this one")
        ->type_name("[RUN]")
        ->expected(0, 1);
  }
  if (name == "eval") sub->add_option("--outputs", options.outputs, "write what the net says of each test sample")->type_name("FILE.npy");
  if (name == "export") {
    sub->add_option("--output", options.folder, "where the files go (default: a folder beside the model, named after both, eg: int8-c99)")
        ->type_name("DIR");
  }
  if (name == "bench") {
    sub->add_option("--seconds", options.seconds, "how long to measure each figure")->check(CLI::Range(0.01, 3600.0));
    sub->add_option("--tune", options.tune, "try all kernels for each layer of a training step, and write a config with the quickest")
        ->type_name("FILE.yaml");
  }
  if (name == "predict") {
    sub->add_option("--index", options.index, "which sample of a file that holds several, from 0")->check(CLI::NonNegativeNumber);
  }
  if (name == "profile") {
    sub->add_option("--index", options.index, "which test sample, from 0")->check(CLI::NonNegativeNumber);
  }
  if (name == "plan") add_plan_options(*sub, options);
  if (name == "trace") add_trace_options(*sub, options);
  if (name == "inspect") add_inspect_options(*sub, options);
}

// --resume takes the word behind it for a run. Where that is a config or an override, --resume goes last, behind which there is none.
void untangle_resume(std::vector<std::string>& words) {
  const auto resume = std::find(words.begin(), words.end(), "--resume");
  if (resume == words.end() || resume + 1 == words.end()) return;
  const std::string& next = resume[1];
  if (next.ends_with(".yaml") || next.ends_with(".yml") || next.find('=') != std::string::npos)
    std::rotate(resume, resume + 1, words.end());
}

}  // namespace

int main(int argc, char** argv) {
  // Whoever reads along may go: a training goes on, and other commands say that they cannot write.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{about, "nnrun"};
  app.set_version_flag("--version", "nnrun " NNRUN_VERSION);
  app.require_subcommand(1);
  Options options;
  const Verb* chosen = nullptr;
  for (const Verb& verb : verbs) add_verb(app, verb, options, chosen);
  try {
    std::vector<std::string> words = with_verb(argc, argv);
    if (words.empty()) words.emplace_back("--help");
    untangle_resume(words);
    std::reverse(words.begin(), words.end());
    app.parse(words);
    const int code = chosen->run(options);
    std::cout.flush();
    if (!std::cout) throw nnrun::core::RunError("cannot write to standard output");
    return code;
  } catch (const CLI::ParseError& e) {
    const bool help = e.get_exit_code() == 0;
    app.exit(e);
    return help ? 0 : 2;
  } catch (const nnrun::core::DiagnosticError& e) {
    const bool colour = isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    std::fputs(nnrun::core::render(e.diagnostics(), colour).c_str(), stderr);
    return 2;
  } catch (const std::exception& e) {
    std::string message = e.what();
    while (message.ends_with('\n')) message.pop_back();
    // Errors with a place begin with it.
    const bool located = message.find(": error: ") != std::string::npos;
    std::fprintf(stderr, "%s%s\n", located ? "" : "nnrun: error: ", message.c_str());
    return 1;
  }
}
