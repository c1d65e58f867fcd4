#include "CTextFloats.h"

#include <string>
#include <string_view>
#include <vector>

#include "arrays.hpp"
#include "walk.hpp"

namespace {

constexpr size_t fields_max = 64;

struct Member {
  std::string name;
  CTextFloats_Kind kind;
  double number;
  std::string text;
};

}  // namespace

struct CTextFloats_Reader {
  ondemand::parser parser;
  ondemand::document document;
  std::vector<Member> members;
  std::vector<std::string> words;
  /// Whether something could not be read: simdjson's document cannot be rewound after an error.
  bool has_failed = false;

  CTextFloats_Result scan(const char *bytes, size_t length, size_t capacity) {
    members.clear();
    has_failed = false;
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
        member.number = truth ? 1 : 0;
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

/// Finds member `index` and hands it to `body`.
template <typename Body>
CTextFloats_Result with_value(CTextFloats_Reader *reader, size_t index, Body body) {
  if (reader->has_failed) {
    return make_result(CTextFloats_invalid, "nothing can be read behind what is not JSON");
  }
  // Until it has been read.
  reader->has_failed = true;
  reader->document.rewind();
  ondemand::object object;
  if (auto error = reader->document.get_object().get(object)) return invalid(error);
  size_t at = 0;
  for (auto item : object) {
    ondemand::field field;
    if (auto error = std::move(item).get(field)) return invalid(error);
    if (at++ != index) continue;
    CTextFloats_Result result = body(field.value());
    result.field = static_cast<ptrdiff_t>(index);
    reader->has_failed = result.status != CTextFloats_ok;
    return result;
  }
  return make_result(CTextFloats_invalid, "no such member");
}

/// The same of an array.
template <typename Body>
CTextFloats_Result with_array(CTextFloats_Reader *reader, size_t index, Body body) {
  return with_value(reader, index, [&](ondemand::value value) {
    ondemand::array array;
    if (auto error = value.get_array().get(array)) return invalid(error);
    return body(array);
  });
}

template <typename Number>
CTextFloats_Result read(CTextFloats_Reader *reader, size_t index, bool takes_negative_infinity,
                        Number *out, size_t capacity) {
  return with_array(reader, index, [&](ondemand::array array) {
    ArrayReader<Number> arrays{out, capacity, takes_negative_infinity};
    if (arrays.read(array, 0)) arrays.finish();
    return arrays.result;
  });
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

CTextFloats_Result CTextFloats_read_lists(CTextFloats_Reader *reader, size_t index, double *out,
                                          size_t capacity, size_t *ends, size_t ends_capacity) {
  return with_array(reader, index, [&](ondemand::array array) {
    // One list first; what is not a number there has to be a list, as all others then.
    CTextFloats_Result result = make_result(CTextFloats_ok);
    for (auto item : array) {
      ondemand::value value;
      if (auto error = std::move(item).get(value)) return invalid(error);
      CTextFloats_Kind kind;
      if (auto error = kind_of(value, kind)) return invalid(error);
      size_t rank = kind == CTextFloats_array ? 2 : 1;
      if (result.rank == 0) result.rank = rank;
      result.position[0] = result.rank == 1 ? result.count : result.shape[0];
      result.depth = 1;
      if (rank != result.rank || (result.rank == 2 && result.shape[0] == ends_capacity)) {
        result.kind = kind;
        result.status = rank != result.rank ? CTextFloats_wrong_kind : CTextFloats_no_room;
        return result;
      }
      ArrayReader<double> numbers{out + result.count, capacity - result.count, false};
      if (rank == 1) {
        double number;
        bool is_read = value.get_double().get(number) ? numbers.read_other(value, 0)
                                                      : numbers.append(number, 0);
        if (!is_read) numbers.result.depth = 0;
      } else {
        ondemand::array inner;
        if (auto error = value.get_array().get(inner)) return invalid(error);
        numbers.read(inner, 0);
        if (numbers.result.status == CTextFloats_ok && numbers.deepest > 1) {
          numbers.result.status = CTextFloats_wrong_kind;
          numbers.result.kind = CTextFloats_array;
        }
      }
      if (numbers.result.status != CTextFloats_ok) {
        numbers.result.position[1] = numbers.result.position[0];
        numbers.result.position[0] = result.position[0];
        numbers.result.depth = rank;
        return numbers.result;
      }
      result.count += numbers.result.count;
      if (rank == 2) ends[result.shape[0]++] = result.count;
    }
    if (result.rank != 2) {
      result.rank = 1;
      result.shape[0] = 1;
      ends[0] = result.count;
    }
    return result;
  });
}

CTextFloats_Result CTextFloats_read_words(CTextFloats_Reader *reader, size_t index,
                                          CTextFloats_Word *out, size_t capacity) {
  reader->words.clear();
  // A word's bytes must not move when the next is read.
  reader->words.reserve(capacity);
  return with_array(reader, index, [&](ondemand::array array) {
    CTextFloats_Result result = make_result(CTextFloats_ok);
    for (auto item : array) {
      ondemand::value value;
      if (auto error = std::move(item).get(value)) return invalid(error);
      if (auto error = kind_of(value, result.kind)) return invalid(error);
      result.position[0] = result.count;
      result.depth = 1;
      if (result.kind != CTextFloats_string) {
        result.status = CTextFloats_wrong_kind;
        return result;
      }
      if (result.count == capacity) {
        result.status = CTextFloats_no_room;
        return result;
      }
      std::string_view text;
      if (auto error = value.get_string().get(text)) return invalid(error);
      const std::string &word = reader->words.emplace_back(text);
      out[result.count++] = CTextFloats_Word{word.data(), word.size()};
    }
    return result;
  });
}

CTextFloats_Result CTextFloats_walk(CTextFloats_Reader *reader, size_t index, void *context,
                                    bool (*visit)(void *context, const CTextFloats_Event *event)) {
  return with_value(reader, index, [&](ondemand::value value) {
    Walker walker{context, visit};
    walker.value(value, 0);
    return walker.result;
  });
}
