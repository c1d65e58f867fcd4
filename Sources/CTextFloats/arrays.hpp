// Nested arrays of numbers, read by simdjson into a flat buffer. Included by parse.cpp alone.
#ifndef CTEXTFLOATS_ARRAYS_HPP
#define CTEXTFLOATS_ARRAYS_HPP

#include "CTextFloats.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

// Without its exceptions every error has to be looked at.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

namespace {

constexpr size_t depth_max = 4;

CTextFloats_Result make_result(CTextFloats_Status status, const char *message = "") {
  CTextFloats_Result result{};
  result.status = status;
  result.message = message;
  result.field = -1;
  return result;
}

CTextFloats_Result invalid(error_code error) {
  // simdjson says this of words such as nan or nul, too.
  if (error == simdjson::INCORRECT_TYPE) {
    return make_result(CTextFloats_invalid, "a word that is not a JSON value");
  }
  return make_result(CTextFloats_invalid, simdjson::error_message(error));
}

/// simdjson has one error for a number that is too large and for one that is malformed.
bool is_too_large(std::string_view token) {
  std::string text(token.substr(0, 400));
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  while (*end == ' ' || *end == '\n' || *end == '\r' || *end == '\t') ++end;
  return std::isinf(value) && text.find_first_of("nN") == std::string::npos && *end == '\0';
}

/// A token without the white space behind it.
std::string_view word_of(std::string_view token) {
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

/// The kind of a value by its first byte; simdjson's own type() refuses what is not JSON, but for
/// words that begin as null does.
error_code kind_of(ondemand::value &value, CTextFloats_Kind &kind) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::array: kind = CTextFloats_array; break;
    case ondemand::json_type::object: kind = CTextFloats_object; break;
    case ondemand::json_type::number: kind = CTextFloats_number; break;
    case ondemand::json_type::string: kind = CTextFloats_string; break;
    case ondemand::json_type::boolean: kind = CTextFloats_boolean; break;
    case ondemand::json_type::null:
      kind = CTextFloats_null;
      if (word_of(value.raw_json_token()) != "null") return simdjson::INCORRECT_TYPE;
      break;
  }
  return simdjson::SUCCESS;
}

/// Reads one nested array; the shape is set by the first row and checked by the others.
template <typename Number>
struct ArrayReader {
  Number *out;
  size_t capacity;
  bool takes_negative_infinity;
  CTextFloats_Result result = make_result(CTextFloats_ok);
  size_t deepest = 0;
  bool is_set[depth_max] = {};

  bool fail(CTextFloats_Status status, size_t depth, const char *message = "") {
    result.status = status;
    result.message = message;
    result.depth = depth;
    return false;
  }

  bool fail(error_code error) {
    return fail(CTextFloats_invalid, 0, simdjson::error_message(error));
  }

  bool read(ondemand::array array, size_t depth) {
    if (depth + 1 > deepest) deepest = depth + 1;
    size_t count = 0;
    for (auto item : array) {
      ondemand::value value;
      if (auto error = std::move(item).get(value)) return fail(error);
      result.position[depth] = count++;
      double number;
      auto error = value.get_double().get(number);
      if (error ? !read_other(value, depth) : !append(number, depth)) return false;
    }
    if (!is_set[depth]) {
      is_set[depth] = true;
      result.shape[depth] = count;
    } else if (count != result.shape[depth]) {
      result.expected = result.shape[depth];
      result.found = count;
      return fail(CTextFloats_ragged, depth);
    }
    return true;
  }

  /// The shape promises as many numbers as were stored, or the array is refused.
  void finish() {
    if (result.rank == 0) result.rank = deepest;
    size_t promised = 1;
    for (size_t axis = 0; axis < result.rank; ++axis) promised *= result.shape[axis];
    if (promised != result.count || deepest > result.rank) {
      result.kind = CTextFloats_array;
      fail(CTextFloats_wrong_kind, 0);
    }
  }

  bool append(double number, size_t depth) {
    if (result.rank == 0) result.rank = depth + 1;
    // Empty arrays before the first number count as entries and store nothing: refuse them here.
    if (result.rank != depth + 1 || deepest > depth + 1) {
      result.kind = CTextFloats_number;
      return fail(CTextFloats_wrong_kind, depth + 1);
    }
    Number narrowed = static_cast<Number>(number);
    if (std::isinf(narrowed) && !std::isinf(number)) {
      return fail(CTextFloats_beyond_type, depth + 1);
    }
    if (result.count == capacity) return fail(CTextFloats_no_room, depth + 1);
    out[result.count++] = narrowed;
    return true;
  }

  bool read_other(ondemand::value &value, size_t depth) {
    if (auto error = kind_of(value, result.kind)) return fail(error);
    switch (result.kind) {
      case CTextFloats_array: {
        if (depth + 1 == depth_max) return fail(CTextFloats_too_deep, depth + 1);
        if (result.rank != 0 && result.rank <= depth + 1) {
          return fail(CTextFloats_wrong_kind, depth + 1);
        }
        ondemand::array inner;
        if (auto error = value.get_array().get(inner)) return fail(error);
        return read(inner, depth + 1);
      }
      case CTextFloats_string: {
        std::string_view text;
        if (auto error = value.get_string().get(text)) return fail(error);
        if (text == "-Infinity" && takes_negative_infinity) {
          return append(-std::numeric_limits<double>::infinity(), depth);
        }
        bool spells = text == "NaN" || text == "Infinity" || text == "+Infinity" ||
                      text == "-Infinity";
        return fail(spells ? CTextFloats_not_finite : CTextFloats_wrong_kind, depth + 1,
                    text == "NaN" ? "NaN" : text == "-Infinity" ? "-Infinity" : "+Infinity");
      }
      case CTextFloats_number:
        if (is_too_large(value.raw_json_token())) {
          return fail(CTextFloats_number_too_large, depth + 1);
        }
        return fail(CTextFloats_invalid, depth + 1, "a malformed number");
      default:
        return fail(CTextFloats_wrong_kind, depth + 1);
    }
  }
};

}  // namespace

#endif
