#include "affine.hpp"
#include "color_jitter.hpp"
#include "crop.hpp"
#include "cutout.hpp"
#include "elastic.hpp"
#include "flip.hpp"
#include "mixup.hpp"
#include "moves.hpp"
#include "normalize.hpp"
#include "scale.hpp"

NNRUN_PLUGIN("transforms", "1.0.0", nnrun::transforms::Scale, nnrun::transforms::Normalize, nnrun::transforms::Flip,
             nnrun::transforms::Shift, nnrun::transforms::Rotate, nnrun::transforms::Zoom, nnrun::transforms::Affine,
             nnrun::transforms::Elastic, nnrun::transforms::Crop, nnrun::transforms::ColorJitter, nnrun::transforms::Cutout,
             nnrun::transforms::Mixup)
