/* The C border between nnrun and its plugins.
 *
 * A plugin is a shared library that exports one constant-initialised object:
 *
 *     const nnrun_plugin nnrun_plugin_v1 = {...};
 *
 * Nothing else is looked up. C++ authors never write it by hand: plugin.hpp does.
 *
 * Rules that hold for every struct here:
 *   - Structs only grow, at the end. The first member, `size`, is sizeof() on the side that made it.
 *     The major version must match; a plugin's minor version must not exceed the host's.
 *   - No C++ object, exception or RTTI crosses. A callback reports failure by writing an nnrun_error and
 *     returning non-zero. Memory is freed by the side that allocated it.
 *   - Strings are UTF-8, zero-terminated, and live as long as the plugin (which is never unloaded) unless
 *     a comment says otherwise.
 *
 * ABI 0 may still change; it freezes as 1.
 */
#ifndef NNRUN_NNRUN_H
#define NNRUN_NNRUN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Structs only ever grow at their end. As long as the major version is 0, the host looks at all of them, so a plugin must have been built
 * for exactly its version; from 1 on, an older minor version will do. */
#define NNRUN_ABI_MAJOR 0
#define NNRUN_ABI_MINOR 8
#define NNRUN_PLUGIN_SYMBOL "nnrun_plugin_v1"
#define NNRUN_MAX_RANK 6
#define NNRUN_MAX_PHASES 4

/* ---- Errors ------------------------------------------------------------------------------------------- */

/* Filled by a callback that returns non-zero. `parameter`, when set, names the parameter at fault, so that the
 * message can point at its line in the config. */
typedef struct nnrun_error {
  char message[1024];
  char parameter[64];
} nnrun_error;

/* ---- Tensors ------------------------------------------------------------------------------------------ */

typedef enum nnrun_dtype {
  NNRUN_F32 = 1,
  NNRUN_BF16 = 2,
  NNRUN_U8 = 3,
  NNRUN_S8 = 4,
  NNRUN_S32 = 5
} nnrun_dtype;

/* Row-major, channels last: (N, H, W, C) or (N, F). Strides count elements. 64-byte aligned at `data`. */
typedef struct nnrun_tensor {
  void* data;
  uint32_t dtype; /* nnrun_dtype */
  uint32_t rank;
  int64_t dim[NNRUN_MAX_RANK];
  int64_t stride[NNRUN_MAX_RANK];
} nnrun_tensor;

/* ---- Parameters of components ------------------------------------------------------------------------- */

typedef enum nnrun_param_type {
  NNRUN_BOOLEAN = 1,
  NNRUN_INTEGER = 2,
  NNRUN_NUMBER = 3,
  NNRUN_STRING = 4,
  NNRUN_CHOICE = 5,       /* one of `choices` */
  NNRUN_INTEGER_LIST = 6, /* a single integer is read as a list of one; where there are `choices`, one of these words will do */
  NNRUN_NUMBER_LIST = 7,
  NNRUN_COMPONENT = 8, /* another component, of kind `component_kind`: `zeros`, or `{he_uniform: {...}}` */
  NNRUN_REFERENCE = 9  /* the name of an earlier layer, whose output becomes a further input */
} nnrun_param_type;

enum {
  NNRUN_PARAM_REQUIRED = 1u << 0,
  NNRUN_PARAM_MINIMUM_EXCLUDED = 1u << 1, /* `minimum` itself is out of range */
  NNRUN_PARAM_MAXIMUM_EXCLUDED = 1u << 2
};

/* A component that the host has created for another one. Call it through its kind's vtable. */
typedef struct nnrun_component_handle {
  const char* name;
  const void* vtable;
  void* self;
} nnrun_component_handle;

/* The value of a parameter. Which member counts follows from the parameter's type. Lists and strings belong to
 * the caller and are valid during the call only; a component handle is valid until its owner is destroyed. */
typedef struct nnrun_value {
  int64_t integer; /* BOOLEAN (0, 1), INTEGER */
  double number;
  const char* string; /* STRING, CHOICE, REFERENCE; of INTEGER_LIST: the word, or ""; as a default for COMPONENT: its name */
  const int64_t* integers;
  const double* numbers;
  size_t count; /* of integers or numbers */
  nnrun_component_handle component;
} nnrun_value;

typedef struct nnrun_param {
  uint32_t size;
  uint32_t type; /* nnrun_param_type */
  const char* name;
  const char* doc; /* one line, eg: "number of output features" */
  uint32_t flags;
  uint32_t reserved;
  double minimum, maximum;     /* of numbers, and of each item of a list; -inf and +inf: no bound */
  size_t count_min, count_max; /* items in a list */
  const char* const* choices;  /* NULL-terminated; for CHOICE, and INTEGER_LIST */
  const char* component_kind;  /* eg: "initializer"; for COMPONENT */
} nnrun_param;

/* ---- Plugins and components --------------------------------------------------------------------------- */

typedef struct nnrun_host nnrun_host;

typedef struct nnrun_component {
  uint32_t size;
  uint32_t reserved;
  const char* kind; /* "layer", "loss", ...: see the vtables below. The loader knows no kind. */
  const char* name; /* eg: "dense"; unique within its kind */
  const char* doc;  /* one line */
  const nnrun_param* params;
  size_t param_count;
  /* The default of parameter `index`; not asked for required ones. Pointers in *value live as long as the plugin. */
  void (*get_default)(size_t index, nnrun_value* value);
  /* Makes an instance from one value a parameter, in the order of `params`. NULL: a component without instances. */
  void* (*create)(const nnrun_host* host, const nnrun_value* values, nnrun_error* error);
  void (*destroy)(void* self);
  const void* vtable; /* its type follows from `kind` */
} nnrun_component;

typedef struct nnrun_plugin {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t component_count;
  const char* name;
  const char* version; /* eg: "1.0.0" */
  const char* build;   /* the compiler, for messages */
  /* CPU features without which no code of this library may run, separated by spaces, in the names of
   * `nnrun kernels`; eg: "avx512f avx512vl". Checked before anything but this object is touched. */
  const char* cpu_features_required;
  const nnrun_component* const* components;
} nnrun_plugin;

/* ---- What the host offers ----------------------------------------------------------------------------- */

typedef enum nnrun_log_level {
  NNRUN_LOG_DEBUG = 0,
  NNRUN_LOG_INFO = 1,
  NNRUN_LOG_WARNING = 2,
  NNRUN_LOG_ERROR = 3
} nnrun_log_level;

/* One range of a parallel loop. Returns non-zero on failure, having filled *error. */
typedef int (*nnrun_range_function)(void* argument, int64_t range, nnrun_error* error);

typedef struct nnrun_kernel nnrun_kernel;

struct nnrun_host {
  uint32_t size;
  uint32_t threads; /* how many threads parallel() uses. Never cut work by this number. */
  /* Every function takes the host itself first. */
  void (*log)(const nnrun_host* host, nnrun_log_level level, const char* message); /* any thread */
  /* Runs body(argument, 0..ranges-1, ...), in any order, on several threads, and returns when all are done. Cut the ranges by
   * the problem's shape alone: then the result has the same bits for any number of threads. Called inside another
   * parallel loop, it runs serially. On failure, the error of the lowest failing range. */
  int (*parallel)(const nnrun_host* host, int64_t ranges, nnrun_range_function body, void* argument, nnrun_error* error);
  /* The best kernel called `name` for the shape in `arguments` (a struct from kernels.h, its pointers NULL); NULL and an
   * error where none supports it. Plan time only. */
  const nnrun_kernel* (*kernel)(const nnrun_host* host, const char* name, const void* arguments, nnrun_error* error);
  /* The score of that kernel, for who has several ways and wants the one that kernels were made for; -1 where none supports the
   * shape. Plan time only. */
  int (*score)(const nnrun_host* host, const char* name, const void* arguments);
};

/* ---- Kind "kernels" ----------------------------------------------------------------------------------- */

/* How a kernel wants one call done: `phases` phases, one after the other; the ranges of one phase in any order,
 * on any threads. A function of the arguments' shape only, and monotonic: a smaller batch needs no more workspace. */
typedef struct nnrun_work {
  uint32_t phases;
  /* 0, or 1 + the phase that goes through the batch: for every S that divides both the batch, N, and its ranges, R, the ranges
   * [R s / S, R (s + 1) / S) work on samples [N s / S, N (s + 1) / S) alone. Phases before it look at no batch but batchnorm's. */
  uint32_t batch_phase;
  int64_t ranges[NNRUN_MAX_PHASES];
  size_t workspace; /* bytes, shared by all ranges of a call, 64-byte aligned */
  /* 1: the first phase, before batch_phase, goes through the batch just like that. So it may run ahead, slice by slice, while the batch is
   * still being made. */
  uint32_t ahead;
  uint32_t reserved;
} nnrun_work;

struct nnrun_kernel {
  uint32_t size;
  int32_t score;         /* the highest score that supports the shape wins; scalar has 0 */
  const char* name;      /* eg: "gemm_f32" */
  const char* signature; /* the name of its arguments' struct, eg: "nnrun_gemm_f32"; must match the caller's */
  /* 1 where the shape in `arguments` is supported, and every smaller batch of it. NULL: every shape. */
  int (*supports)(const void* arguments);
  void (*work)(const void* arguments, nnrun_work* work);
  /* One range of one phase. No allocation, no failure: shapes were settled before. NULL where there is run_or_fail. */
  void (*run)(const void* arguments, void* workspace, uint32_t phase, int64_t range);
  /* How it computes, where its library has several ways for one name, eg: "Winograd"; NULL: the plain way. */
  const char* algorithm;
  /* 0: its results are within the bound of its row in kernels.h: it does what the row says, in some order. Otherwise its own bound,
   * larger, in the same measure; `run.exact` leaves such kernels out. */
  double bound;
  /* Instead of `run`, of a kernel that may fail although its shape is supported: one that runs on an emulated or other processor. On
   * failure it fills *error and returns non-zero; what it writes to is then undefined. NULL: `run` counts. */
  int (*run_or_fail)(const void* arguments, void* workspace, uint32_t phase, int64_t range, nnrun_error* error);
  /* 0, or NNRUN_BF16: it rounds what it multiplies to bfloat16, and sums up in f32. Such kernels take part only where `run.precision` asks
   * for them. */
  uint32_t precision;
};

typedef enum nnrun_instruction_kind {
  NNRUN_INSTRUCTION_ARITHMETIC = 0,
  NNRUN_INSTRUCTION_MULTIPLY = 1, /* and divide */
  NNRUN_INSTRUCTION_LOAD = 2,
  NNRUN_INSTRUCTION_STORE = 3,
  NNRUN_INSTRUCTION_BRANCH = 4, /* conditional */
  NNRUN_INSTRUCTION_JUMP = 5,   /* calls and returns too */
  NNRUN_INSTRUCTION_SYSTEM = 6,
  NNRUN_INSTRUCTION_KINDS = 7
} nnrun_instruction_kind;

/* One instruction of a library's kernels, and how often it ran. Strings belong to the library and live as long as it does. */
typedef struct nnrun_instruction_count {
  uint32_t size;
  uint32_t kind;        /* nnrun_instruction_kind */
  const char* function; /* the symbol that it belongs to, eg: "matmul_q16" */
  const char* text;     /* disassembled, eg: "mulh t2,t0,t1" */
  uint64_t address;
  uint64_t target; /* of branches and direct jumps: where to; 0 otherwise */
  uint64_t count;
} nnrun_instruction_count;

typedef struct nnrun_kernels_vtable {
  uint32_t size;
  uint32_t count;
  const nnrun_kernel* kernels;
  /* Of libraries that can count their instructions exactly, both; NULL otherwise. counting(1) sets all counts to 0 and begins, on all
   * threads, counting(0) ends; not while a kernel runs. counts() hands over every instruction of every function, those that never ran
   * too, in order of address. */
  int (*counting)(int on, nnrun_error* error);
  int (*counts)(void* context, void (*take)(void* context, const nnrun_instruction_count* instruction), nnrun_error* error);
} nnrun_kernels_vtable;

/* ---- Kind "initializer" ------------------------------------------------------------------------------- */

/* Which random numbers: see Random in random.hpp. Equal keys give equal numbers, on any thread. */
typedef struct nnrun_random_key {
  uint64_t seed;
  uint32_t stream; /* what they are for: NNRUN_STREAM_... */
  uint32_t major;  /* eg: the epoch */
  uint32_t minor;  /* eg: the sample's index */
} nnrun_random_key;

enum {
  NNRUN_STREAM_WEIGHTS = 1,   /* major: index of the layer; minor: index of the weight in it */
  NNRUN_STREAM_ORDER = 2,     /* major: epoch */
  NNRUN_STREAM_TRANSFORM = 3, /* major: epoch; minor: sample; + 256 * index of the transform */
  NNRUN_STREAM_LAYER = 4,     /* major: step; minor: index of the layer */
  NNRUN_STREAM_DATASET = 5,   /* major: 0; minor: sample */
  NNRUN_STREAM_SPLIT = 6      /* major: 0 */
};

typedef struct nnrun_initializer_vtable {
  uint32_t size;
  uint32_t reserved;
  int (*fill)(void* self, nnrun_tensor* weight, int64_t fan_in, int64_t fan_out, const nnrun_random_key* key, nnrun_error* error);
} nnrun_initializer_vtable;

/* ---- Kind "layer" ------------------------------------------------------------------------------------- */

enum {
  NNRUN_WEIGHT_DECAY = 1u << 0 /* weight decay applies (not to biases and batch norm) */
};

enum { /* what a layer's backward reads, besides dy */
  NNRUN_BACKWARD_NEEDS_INPUT = 1u << 0,
  NNRUN_BACKWARD_NEEDS_OUTPUT = 1u << 1,
  /* dx may be x's memory: what was read of x for the last time is still in the cache when dx is written over it. Of one input only. */
  NNRUN_BACKWARD_OVERWRITES_INPUT = 1u << 2
};

/* What a layer says of itself, so that others can absorb it without knowing its name. */
enum {
  NNRUN_TRAIT_NONE = 0,
  NNRUN_TRAIT_RELU = 1,        /* y = max(x, 0), elementwise */
  NNRUN_TRAIT_MAXPOOL_2X2 = 2, /* the largest of each 2 x 2 places, side by side; a last odd row or column counts for nothing */
  /* In inference y = x * scale + offset, with one scale and one offset for each channel (the last dimension) that follow from weights
   * and states alone: affine() says them. Only absorbed where the net is for inference. */
  NNRUN_TRAIT_AFFINE = 3
};

typedef struct nnrun_plan nnrun_plan;
struct nnrun_plan {
  uint32_t size;
  uint32_t input_count;
  const nnrun_tensor* inputs; /* without data; dim[0] is the batch, the largest that will come */
  uint32_t training;          /* 0: backward will not be called */
  uint32_t input_gradient;    /* 0: nobody needs dx (the first layer) */
  const nnrun_host* host;
  void* context; /* pass it to the functions below */
  /* The output's shape; required, once. */
  int (*output)(void* context, uint32_t dtype, uint32_t rank, const int64_t* dim, nnrun_error* error);
  /* A trained tensor, f32. Returns its index in nnrun_run.weights, or -1. */
  int (*weight)(void* context, const char* name, uint32_t rank, const int64_t* dim, int64_t fan_in, int64_t fan_out,
                const nnrun_component_handle* initializer, uint32_t flags, nnrun_error* error);
  /* A tensor that is saved with the weights but not trained (running statistics), f32, filled with `value`. */
  int (*state)(void* context, const char* name, uint32_t rank, const int64_t* dim, float value, nnrun_error* error);
  /* Memory kept from forward to backward. Returns its index in nnrun_run.saved, or -1. */
  int (*saved)(void* context, size_t bytes, nnrun_error* error);
  /* Memory that may be used during one call, and is shared with other layers. Index in nnrun_run.scratch. */
  int (*scratch)(void* context, size_t bytes, nnrun_error* error);
  void (*backward_needs)(void* context, uint32_t flags);                    /* default: nothing */
  void (*in_place)(void* context);                                          /* y may be x's memory, and dx dy's */
  void (*cost)(void* context, double forward_flops, double backward_flops); /* for the whole batch */
  /* 1: weights and states stay as they are in training, too. The layer runs as in inference (nnrun_run.training is 0); its backward
   * may still be called, for dx alone: d_weights may be left unwritten. */
  uint32_t frozen;
  uint32_t reserved;
  /* Memory that fold() writes and forward() reads, and nobody else. Index in nnrun_run.folded, or -1. */
  int (*folded)(void* context, size_t bytes, nnrun_error* error);
  /* A tensor of whole numbers, which a quantizer makes; saved with the weights, never trained, filled with 0. `dtype`: u8, s8 or s32.
   * Returns its index in nnrun_run.states, which it shares with state(), or -1. */
  int (*integers)(void* context, const char* name, uint32_t dtype, uint32_t rank, const int64_t* dim, nnrun_error* error);
};

struct nnrun_update; /* in kernels.h */

typedef struct nnrun_run {
  uint32_t size;
  uint32_t training; /* 1: dropout drops, batch norm uses the batch's statistics; 0 for frozen layers */
  uint32_t input_count, weight_count, state_count, saved_count, scratch_count;
  uint32_t input_gradient;    /* 0: d_inputs are NULL */
  const nnrun_tensor* inputs; /* dim[0] is this batch's size; the last of an epoch may be smaller than planned */
  const nnrun_tensor* output;
  const nnrun_tensor* d_inputs; /* to be written, not accumulated */
  const nnrun_tensor* d_output; /* may be overwritten by backward */
  const nnrun_tensor* weights;
  const nnrun_tensor* d_weights; /* to be written, not accumulated */
  const nnrun_tensor* states;
  void* const* saved;
  void* const* scratch;
  const nnrun_host* host;
  nnrun_random_key key; /* for this layer and step */
  void* context;
  /* Optional, from backward, on any thread: d_weights[weight][begin, end) is final. Where nothing needs all gradients at once,
   * the host lets the optimizer step over this slice while it is still in the cache, so backward must be done with reading
   * that part of the weight. Slices of one weight must not overlap. Weights never mentioned are stepped after backward. */
  void (*gradient_ready)(void* context, uint32_t weight, int64_t begin, int64_t end);
  /* The same for a slice that was computed elsewhere, eg in a small block that never leaves the cache: it is at `values`, which are
   * the layer's again on return. That part of d_weights need not be written. May be NULL: then write it. */
  void (*gradient_given)(void* context, uint32_t weight, int64_t begin, int64_t end, const float* values);
  void* const* folded; /* what fold() writes */
  /* From backward: 1 where the layer may take the optimizer's step over d_weights[weight] itself, in a kernel that never writes the
   * gradient to memory; *update then says which. It must, over all of the weight, and say so with updated(), on the same thread; `finite`
   * is 0 where any of the gradient was NaN or infinite. 0: the host needs the gradient, in one of the ways above. May be NULL: 0. */
  int (*update_of)(void* context, uint32_t weight, struct nnrun_update* update);
  void (*updated)(void* context, uint32_t weight, uint32_t finite);
} nnrun_run;

/* Part of a pass over a batch of N samples that is cut into `count` slices: slice `index` is samples [N index / count,
 * N (index + 1) / count). */
typedef enum nnrun_slice_stage {
  NNRUN_SLICES_BEFORE = 0, /* what the slices have in common; may run in parallel */
  NNRUN_SLICES_EACH = 1,   /* one slice: on one of several threads, in any order */
  NNRUN_SLICES_BEHIND = 2, /* when all are done; may run in parallel */
  NNRUN_SLICES_AHEAD = 3   /* one slice, like EACH, but as soon as its samples are there: see slices_ahead() */
} nnrun_slice_stage;

typedef struct nnrun_slice {
  uint32_t size;
  uint32_t backward; /* 0: part of forward */
  uint32_t stage;    /* nnrun_slice_stage */
  uint32_t ahead;    /* 1: AHEAD has been called for all slices of this pass */
  int64_t index, count;
} nnrun_slice;

typedef struct nnrun_layer_vtable {
  uint32_t size;
  uint32_t trait; /* NNRUN_TRAIT_... */
  int (*plan)(void* self, nnrun_plan* plan, nnrun_error* error);
  int (*forward)(void* self, const nnrun_run* run, nnrun_error* error);
  int (*backward)(void* self, const nnrun_run* run, nnrun_error* error); /* NULL: cannot be trained through */
  /* Before plan(): 1 where this layer takes over the work of the one that follows, which has `trait` and is left out of the
   * net then; "backward" then gets the gradient behind that one. NULL: absorbs nothing. */
  int (*absorb)(void* self, uint32_t trait);
  /* The trait, where it depends on the parameters. NULL: `trait` says it. */
  uint32_t (*trait_of)(void* self);
  /* Of NNRUN_TRAIT_AFFINE: scale and offset of each channel, from run's weights and states; run has nothing else. */
  int (*affine)(void* self, const nnrun_run* run, float* scale, float* offset, nnrun_error* error);
  /* Of a layer that absorbs NNRUN_TRAIT_AFFINE: writes into run's `folded` what forward() then takes for its weights, so that its output is
   * scaled and shifted, channel by channel. run has weights, and nothing else. Called before forward(), whenever weights or states have
   * changed. These themselves stay as they are. */
  int (*fold)(void* self, const nnrun_run* run, const float* scale, const float* offset, nnrun_error* error);
  /* After plan(): into how many slices a pass over `batch` samples can be cut: any common divisor of `batch` and the result will do. 0: none.
   * Then the host may call run_slice() for all stages and slices instead of forward() or backward(): each slice goes through several layers
   * while it is in the cache. The results have the same bits either way. Scratch is the layer's own from BEFORE to BEHIND. Both or neither
   * are NULL. Less than 0: the same without the sign, but BEFORE takes all of x (backward: of dy), so that it must be there by then. */
  int64_t (*slices)(void* self, int64_t batch, uint32_t backward);
  int (*run_slice)(void* self, const nnrun_run* run, const nnrun_slice* slice, nnrun_error* error);
  /* Where slices() is less than 0: into how many slices the first thing that the pass does with x (backward: with dy) can be cut. 0, or NULL:
   * not at all. The host may then call run_slice() with AHEAD for each, while that slice is in the cache, before any other stage; BEFORE
   * then leaves that out. Scratch is the layer's own from AHEAD on. */
  int64_t (*slices_ahead)(void* self, int64_t batch, uint32_t backward);
} nnrun_layer_vtable;

/* ---- Kind "loss" -------------------------------------------------------------------------------------- */

/* Labels of a batch, told apart by their dtype:
 *   s32 (N)          the class of each sample, 0..classes-1;
 *   f32 (N, targets) numbers to come close to, where the data has no classes;
 *   f32 (N, classes) a distribution over the classes, each row adding up to 1, where a transform mixes samples in training.
 * A loss on one output for two classes takes the distribution's share of class 1 as its target. */

/* What a loss takes the net's outputs for; metrics are told. */
enum {
  NNRUN_OUTPUTS_LOGITS = 0, /* for two classes, one logit does: above 0 means class 1 */
  NNRUN_OUTPUTS_PROBABILITIES = 1
};

typedef struct nnrun_loss_plan {
  uint32_t size;
  uint32_t reserved;
  const nnrun_tensor* output; /* the net's, dim[0] the batch */
  int64_t classes;            /* of the labels; 0: the targets are numbers */
  const nnrun_host* host;
  size_t scratch_bytes; /* set by plan() */
  int64_t targets;      /* how many numbers a sample has, where classes is 0 */
} nnrun_loss_plan;

typedef struct nnrun_loss_run {
  uint32_t size;
  uint32_t reserved;
  const nnrun_tensor* output;   /* (N, ...) */
  const nnrun_tensor* labels;   /* see above */
  const nnrun_tensor* d_output; /* gradient of the mean over the batch; NULL: not wanted */
  float* losses;                /* (N): each sample's own; the host sums them in order */
  void* scratch;
  const nnrun_host* host;
} nnrun_loss_run;

typedef struct nnrun_loss_vtable {
  uint32_t size;
  uint32_t outputs; /* NNRUN_OUTPUTS_... */
  int (*plan)(void* self, nnrun_loss_plan* plan, nnrun_error* error);
  int (*run)(void* self, const nnrun_loss_run* run, nnrun_error* error);
  /* From the net's output to (N, classes) probabilities, f32; where classes is 0, to what a user wants to see, (N, targets).
   * NULL: outputs are used as they are. */
  int (*probabilities)(void* self, const nnrun_tensor* output, nnrun_tensor* probabilities, nnrun_error* error);
} nnrun_loss_vtable;

/* ---- Kinds "optimizer" and "schedule" ----------------------------------------------------------------- */

typedef struct nnrun_progress {
  uint32_t size;
  uint32_t reserved;
  int64_t step;  /* from 0, over the whole run */
  int64_t epoch; /* from 0 */
  int64_t steps_per_epoch;
  int64_t epochs;
} nnrun_progress;

typedef struct nnrun_schedule_vtable {
  uint32_t size;
  uint32_t reserved;
  double (*factor)(void* self, const nnrun_progress* progress); /* multiplies the learning rate */
} nnrun_schedule_vtable;

/* One slice of the flat parameters. */
typedef struct nnrun_step {
  uint32_t size;
  uint32_t flags; /* NNRUN_WEIGHT_... */
  int64_t count;
  float* weights;
  const float* gradients;
  float* const* states; /* one pointer a state, each to this slice's part */
  double rate;          /* what rate() said for this step */
  int64_t step;         /* from 0 */
} nnrun_step;

typedef struct nnrun_optimizer_vtable {
  uint32_t size;
  uint32_t state_count;           /* floats kept a parameter, eg: 2 for Adam */
  const char* const* state_names; /* eg: {"m", "v"}: their names in a checkpoint */
  /* Whether step() may be called on slices, from any thread, while other gradients are still being computed. */
  uint32_t slices;
  uint32_t reserved;
  /* Once, before the first step. */
  int (*plan)(void* self, const nnrun_host* host, nnrun_error* error);
  /* The learning rate of a step. Once a step, before its slices. */
  double (*rate)(void* self, const nnrun_progress* progress);
  /* Updates weights and states, serially, on any thread. Returns 0, or 1 where a gradient was NaN or infinite. */
  int (*step)(void* self, const nnrun_step* step);
  /* The same step as numbers, for kernels that compute a gradient and take the step with it: fills in *update and returns 1; 0 where it is
   * not one of those in kernels.h. step->gradients is NULL. NULL: it never is. */
  int (*update)(void* self, const nnrun_step* step, struct nnrun_update* update);
} nnrun_optimizer_vtable;

/* ---- Kind "metric" ------------------------------------------------------------------------------------ */

struct nnrun_field; /* below */

typedef struct nnrun_metric_plan {
  uint32_t size;
  uint32_t outputs;           /* NNRUN_OUTPUTS_...: what the loss takes the net's outputs for */
  const nnrun_tensor* output; /* the net's, dim[0] the batch */
  int64_t classes, targets;   /* as in nnrun_loss_plan */
  size_t sums;                /* set by plan(): how many doubles are accumulated */
} nnrun_metric_plan;

/* Labels are those of the data, never mixed: s32 (N), or f32 (N, targets). */
typedef struct nnrun_metric_vtable {
  uint32_t size;
  uint32_t reserved;
  int (*plan)(void* self, nnrun_metric_plan* plan, nnrun_error* error); /* once, first */
  int (*add)(void* self, const nnrun_tensor* output, const nnrun_tensor* labels, double* sums, nnrun_error* error);
  double (*result)(void* self, const double* sums);
  /* The table that the figure comes from, for the `test` event: sets *field's name, numbers (eg: to sums), rows and columns.
   * NULL, or the name left NULL: there is none. */
  void (*table)(void* self, const double* sums, struct nnrun_field* field);
} nnrun_metric_vtable;

/* ---- Kind "transform" --------------------------------------------------------------------------------- */

typedef struct nnrun_transform_run {
  uint32_t size;
  uint32_t training;         /* 0: augmentations do nothing but copy */
  const nnrun_tensor* input; /* one sample, without the batch dimension */
  const nnrun_tensor* output;
  nnrun_random_key key;
} nnrun_transform_run;

typedef struct nnrun_transform_vtable {
  uint32_t size;
  uint32_t augments; /* 1: does something else in training; otherwise it copies, or makes the shape that it promised */
  /* From the input's dtype and shape to the output's. */
  int (*plan)(void* self, const nnrun_host* host, const nnrun_tensor* input, nnrun_tensor* output, nnrun_error* error);
  int (*apply)(void* self, const nnrun_transform_run* run, nnrun_error* error); /* any thread */
  /* Of a transform that mixes samples: how much of itself the sample keeps, 0 to 1. In training, behind all other transforms, the
   * host makes x = share * x + (1 - share) * another sample of the batch, and its label likewise (see "Labels" above). apply()
   * is not called then. NULL: mixes nothing. Any thread. */
  double (*own_share)(void* self, const nnrun_random_key* key);
} nnrun_transform_vtable;

/* ---- Kind "dataset" ----------------------------------------------------------------------------------- */

typedef enum nnrun_split {
  NNRUN_SPLIT_TRAIN = 0,
  NNRUN_SPLIT_TEST = 1,
  NNRUN_SPLIT_VALIDATION = 2
} nnrun_split;

/* Filled by open(); pointers live until close(). */
typedef struct nnrun_dataset_info {
  uint32_t size;
  uint32_t reserved;
  int64_t count;       /* samples */
  nnrun_tensor sample; /* dtype and shape of one, without data */
  int64_t classes;     /* labels are 0..classes-1; 0: targets are `targets` numbers */
  int64_t targets;
  const char* const* class_names; /* `classes` of them, or NULL */
  const int32_t* labels;          /* `count` of them, where they are at hand: shares are then cut class by class; or NULL */
  const char* note;               /* one line that the run reports, eg: what was left out; or NULL */
} nnrun_dataset_info;

typedef struct nnrun_dataset_vtable {
  uint32_t size;
  uint32_t drawn; /* 1: made up, says nothing about the real thing */
  /* How many of the files that `path` stands for are there: 0 none, 1 some, 2 all. NULL: needs no files. */
  int (*present)(void* self, const char* path);
  /* Opens one split. `path` is absolute, or "" where `present` is NULL. Returns a handle, or NULL and an error. */
  void* (*open)(void* self, const nnrun_host* host, const char* path, nnrun_split split, uint64_t seed, nnrun_dataset_info* info,
                nnrun_error* error);
  /* Writes sample `index` to `sample` and its label (s32) or targets (f32) to `label`. Any thread. */
  int (*read)(void* handle, int64_t index, const nnrun_tensor* sample, void* label, nnrun_error* error);
  void (*close)(void* handle);
  /* Sample `index` will be read soon: starts fetching it, without waiting. Any thread. NULL: there is nothing to gain. */
  void (*prefetch)(void* handle, int64_t index);
  /* Reads one file as a sample (a picture to predict) into `sample`. NULL: not supported. */
  int (*read_file)(void* self, const char* path, int64_t index, const nnrun_tensor* sample, nnrun_error* error);
} nnrun_dataset_vtable;

/* ---- Kind "observer" ---------------------------------------------------------------------------------- */

/* What happened; `fields` carry the figures, so that a new figure needs no new border. */
typedef struct nnrun_field {
  const char* name; /* eg: "loss" */
  const char* text; /* NULL: `number` counts, or `numbers` */
  double number;
  const double* numbers; /* a table of rows x columns, eg: "confusion_matrix"; NULL: none */
  int64_t rows, columns;
} nnrun_field;

typedef struct nnrun_event {
  uint32_t size;
  uint32_t field_count;
  const char* name; /* "start", "batch", "epoch", "test", "details", "note", "checkpoint", "end" */
  const nnrun_field* fields;
} nnrun_event;

typedef struct nnrun_observer_vtable {
  uint32_t size;
  uint32_t reserved;
  /* `folder` is the run's own. `position` is what position() said at the checkpoint that is resumed, or 0. */
  int (*open)(void* self, const nnrun_host* host, const char* folder, int64_t position, nnrun_error* error);
  int (*event)(void* self, const nnrun_event* event, nnrun_error* error);
  /* Puts all that was told on the disk; where it ends there, eg: the file's length. -1 and an error on failure. */
  int64_t (*position)(void* self, nnrun_error* error);
  void (*close)(void* self);
} nnrun_observer_vtable;

/* ---- A trained net, as quantizers and exporters see it ------------------------------------------------- */

/* One layer, and what it makes of some samples. */
typedef struct nnrun_layer_view {
  uint32_t size;
  uint32_t trait;        /* NNRUN_TRAIT_...: what the layer says of itself */
  const char* component; /* eg: "dense" */
  const char* name;      /* eg: "1.dense" */
  uint32_t param_count;
  uint32_t tensor_count;
  const char* const* param_names;
  const nnrun_value* params;       /* one a name */
  const char* const* tensor_names; /* eg: "weights", "bias", "mean" */
  const nnrun_tensor* tensors;     /* weights and states, with data */
  const float* scale;              /* of NNRUN_TRAIT_AFFINE: one a channel, as affine() says; NULL otherwise */
  const float* offset;
  uint32_t input_count;
  uint32_t reserved;
  const uint32_t* inputs; /* which tensors it takes: 0 is the net's input, i + 1 the output of layer i */
  nnrun_tensor output;    /* with data; dim[0] is the number of samples */
} nnrun_layer_view;

/* All layers in order, each on its own: none has absorbed another. */
typedef struct nnrun_net_view {
  uint32_t size;
  uint32_t layer_count;
  const nnrun_layer_view* layers;
  nnrun_tensor input; /* the samples as the first layer gets them, f32 */
  const nnrun_host* host;
} nnrun_net_view;

/* ---- Kind "quantizer" --------------------------------------------------------------------------------- */

typedef struct nnrun_named_tensor {
  const char* name;
  nnrun_tensor tensor; /* with data */
} nnrun_named_tensor;

/* Where a quantizer puts the net that it makes. */
typedef struct nnrun_quantized {
  uint32_t size;
  uint32_t reserved;
  void* context; /* pass it to the functions below */
  /* The next layer: a component and its parameters as a config writes them, eg: "fixed_dense", "{units: 10, arithmetic: q16}"; and the
   * tensors that it declares with integers(), copied. */
  int (*layer)(void* context, const char* component, const char* params, const nnrun_named_tensor* tensors, size_t tensor_count,
               nnrun_error* error);
  /* A line for the user, eg: what was proved. */
  void (*note)(void* context, const char* text);
  /* Proved: no output differs from the float net's by more than this, whatever the input in range. Not called: nothing is proved. */
  void (*error_bound)(void* context, double bound);
} nnrun_quantized;

typedef struct nnrun_quantizer_vtable {
  uint32_t size;
  uint32_t reserved;
  /* `net` holds training samples, to learn ranges from. The net that is made takes the same input, and gives f32 outputs. An error names
   * the layer that cannot be had in this arithmetic, and the bound that it breaks. */
  int (*quantize)(void* self, const nnrun_net_view* net, const nnrun_quantized* to, nnrun_error* error);
} nnrun_quantizer_vtable;

/* ---- Kind "exporter" ---------------------------------------------------------------------------------- */

/* Where an exporter puts what it makes. */
typedef struct nnrun_exported {
  uint32_t size;
  uint32_t reserved;
  void* context; /* pass it to the functions below */
  /* A file, by its name alone, eg: "net.c"; copied, and written when all are there. */
  int (*file)(void* context, const char* name, const void* data, size_t bytes, uint32_t executable, nnrun_error* error);
  /* A line for the user, eg: how many bytes it takes. */
  void (*note)(void* context, const char* text);
} nnrun_exported;

typedef struct nnrun_exporter_vtable {
  uint32_t size;
  uint32_t reserved;
  /* `net` holds test samples, to make golden vectors of. An error names the layer that has no place in the format. */
  int (*export_net)(void* self, const nnrun_net_view* net, const nnrun_exported* to, nnrun_error* error);
} nnrun_exporter_vtable;

#ifdef __cplusplus
}
#endif

#endif
