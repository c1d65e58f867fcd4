#include "CTextFloats.h"

#include <charconv>

namespace {

template <typename Number>
size_t print(const Number *values, size_t count, char *out, size_t room) {
  char *end = out;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) *end++ = ',';
    end = std::to_chars(end, end + room, values[i]).ptr;
  }
  return static_cast<size_t>(end - out);
}

}  // namespace

size_t CTextFloats_print_floats(const float *values, size_t count, char *out) {
  return print(values, count, out, CTextFloats_float_bytes);
}

size_t CTextFloats_print_doubles(const double *values, size_t count, char *out) {
  return print(values, count, out, CTextFloats_double_bytes);
}

size_t CTextFloats_print_integers(const int32_t *values, size_t count, char *out) {
  return print(values, count, out, CTextFloats_integer_bytes);
}
