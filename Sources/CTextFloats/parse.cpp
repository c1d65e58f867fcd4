#include "CTextFloats.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// Without its exceptions every error has to be looked at.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

namespace {

constexpr size_t fields_max = 64;
constexpr size_t depth_max = 3;

struct Member {
  std::string name;
  CTextFloats_Kind kind;
  double number;
  std::string text;
};

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

/// The kind of a value by its first byte; simdjson's own type() refuses what is not JSON.
error_code kind_of(ondemand::value &value, CTextFloats_Kind &kind) {
  ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::array: kind = CTextFloats_array; break;
    case ondemand::json_type::object: kind = CTextFloats_object; break;
    case ondemand::json_type::number: kind = CTextFloats_number; break;
    case ondemand::json_type::string: kind = CTextFloats_string; break;
    case ondemand::json_type::boolean: kind = CTextFloats_boolean; break;
    case ondemand::json_type::null: kind = CTextFloats_null; break;
  }
  return simdjson::SUCCESS;
}

}  // namespace

struct CTextFloats_Reader {
  ondemand::parser parser;
  ondemand::document document;
  std::vector<Member> members;

  CTextFloats_Result scan(const char *bytes, size_t length, size_t capacity) {
    members.clear();
    if (auto error = parser.iterate(bytes, length, capacity).get(document)) return invalid(error);
    ondemand::json_type type;
    if (auto error = document.type().get(type)) return invalid(error);
    if (type != ondemand::json_type::object) return make_result(CTextFloats_not_an_object);
    ondemand::object object;
    if (auto error = document.get_object().get(object)) return invalid(error);
    for (auto item : object) {
      ondemand::field field;
      if (auto error = std::move(item).get(field)) return invalid(error);
      CTextFloats_Result result = scan_member(field);
      result.field = static_cast<ptrdiff_t>(members.size()) - 1;
      if (result.status != CTextFloats_ok) return result;
    }
    const char *rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) {
      return make_result(CTextFloats_invalid, "there is more after the end of the object");
    }
    return make_result(CTextFloats_ok);
  }

  CTextFloats_Result scan_member(ondemand::field &field) {
    if (members.size() == fields_max) return make_result(CTextFloats_too_many_fields);
    std::string_view name;
    if (auto error = field.unescaped_key().get(name)) return invalid(error);
    bool is_duplicate = false;
    for (const Member &member : members) is_duplicate = is_duplicate || member.name == name;
    members.push_back(Member{std::string(name), CTextFloats_null, 0, ""});
    if (is_duplicate) return make_result(CTextFloats_duplicate_key);
    Member &member = members.back();
    ondemand::value value = field.value();
    if (auto error = kind_of(value, member.kind)) return invalid(error);
    switch (member.kind) {
      case CTextFloats_number: {
        if (auto error = value.get_double().get(member.number)) {
          if (is_too_large(value.raw_json_token())) {
            return make_result(CTextFloats_number_too_large);
          }
          return invalid(error);
        }
        break;
      }
      case CTextFloats_string: {
        std::string_view text;
        if (auto error = value.get_string().get(text)) return invalid(error);
        member.text = text;
        break;
      }
      case CTextFloats_boolean: {
        bool truth;
        if (auto error = value.get_bool().get(truth)) return invalid(error);
        break;
      }
      case CTextFloats_null: {
        bool is_null = false;
        if (auto error = value.is_null().get(is_null)) return invalid(error);
        if (!is_null) return make_result(CTextFloats_invalid, "expected null");
        break;
      }
      case CTextFloats_array:
      case CTextFloats_object:
        break;  // Skipped here; arrays are checked when they are read.
    }
    return make_result(CTextFloats_ok);
  }
};

namespace {

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

  bool append(double number, size_t depth) {
    if (result.rank == 0) result.rank = depth + 1;
    if (result.rank != depth + 1) {
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

template <typename Number>
CTextFloats_Result read(CTextFloats_Reader *reader, size_t index, bool takes_negative_infinity,
                        Number *out, size_t capacity) {
  reader->document.rewind();
  ondemand::object object;
  if (auto error = reader->document.get_object().get(object)) return invalid(error);
  size_t at = 0;
  for (auto item : object) {
    ondemand::field field;
    if (auto error = std::move(item).get(field)) return invalid(error);
    if (at++ != index) continue;
    ondemand::array array;
    if (auto error = field.value().get_array().get(array)) return invalid(error);
    ArrayReader<Number> arrays{out, capacity, takes_negative_infinity};
    if (arrays.read(array, 0) && arrays.result.rank == 0) arrays.result.rank = arrays.deepest;
    arrays.result.field = static_cast<ptrdiff_t>(index);
    return arrays.result;
  }
  return make_result(CTextFloats_invalid, "no such member");
}

}  // namespace

CTextFloats_Reader *CTextFloats_create(void) { return new CTextFloats_Reader; }

void CTextFloats_destroy(CTextFloats_Reader *reader) { delete reader; }

CTextFloats_Result CTextFloats_scan(CTextFloats_Reader *reader, const char *bytes, size_t length,
                                    size_t capacity) {
  return reader->scan(bytes, length, capacity);
}

size_t CTextFloats_field_count(const CTextFloats_Reader *reader) { return reader->members.size(); }

CTextFloats_Field CTextFloats_field(const CTextFloats_Reader *reader, size_t index) {
  const Member &member = reader->members[index];
  return CTextFloats_Field{member.name.data(), member.name.size(),   member.kind,
                           member.number,      member.text.data(), member.text.size()};
}

CTextFloats_Result CTextFloats_read_floats(CTextFloats_Reader *reader, size_t index,
                                           bool takes_negative_infinity, float *out,
                                           size_t capacity) {
  return read(reader, index, takes_negative_infinity, out, capacity);
}

CTextFloats_Result CTextFloats_read_doubles(CTextFloats_Reader *reader, size_t index,
                                            bool takes_negative_infinity, double *out,
                                            size_t capacity) {
  return read(reader, index, takes_negative_infinity, out, capacity);
}
