#include "csv.hpp"
#include "drawn_digits.hpp"
#include "drawn_pets.hpp"
#include "idx.hpp"
#include "image_folder.hpp"
#include "npy.hpp"

NNRUN_PLUGIN("datasets", "1.0.0", nnrun::datasets::Idx, nnrun::datasets::DrawnDigits, nnrun::datasets::DrawnPets,
             nnrun::datasets::ImageFolder, nnrun::datasets::Csv, nnrun::datasets::Npy)
