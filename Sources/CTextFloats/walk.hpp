// Documents of any kind, told value by value. Included by parse.cpp alone.
#ifndef CTEXTFLOATS_WALK_HPP
#define CTEXTFLOATS_WALK_HPP

#include <set>

#include "arrays.hpp"

namespace {

constexpr size_t walk_depth_max = 16;

struct Walker {
  void *context;
  bool (*visit)(void *context, const CTextFloats_Event *event);
  CTextFloats_Result result = make_result(CTextFloats_ok);

  bool fail(error_code error) {
    result = invalid(error);
    return false;
  }

  bool tell(CTextFloats_EventKind kind, double number = 0, std::string_view text = {}) {
    CTextFloats_Event event{kind, number, text.data(), text.size()};
    if (visit(context, &event)) return true;
    result = make_result(CTextFloats_no_room);
    return false;
  }

  bool value(ondemand::value value, size_t depth) {
    CTextFloats_Kind kind;
    if (auto error = kind_of(value, kind)) return fail(error);
    switch (kind) {
      case CTextFloats_number: {
        double number;
        if (auto error = value.get_double().get(number)) {
          if (!is_too_large(value.raw_json_token())) return fail(error);
          result = make_result(CTextFloats_number_too_large);
          return false;
        }
        return tell(CTextFloats_value_number, number);
      }
      case CTextFloats_string: {
        std::string_view text;
        if (auto error = value.get_string().get(text)) return fail(error);
        return tell(CTextFloats_value_text, 0, text);
      }
      case CTextFloats_boolean: {
        bool truth;
        if (auto error = value.get_bool().get(truth)) return fail(error);
        return tell(CTextFloats_value_boolean, truth ? 1 : 0);
      }
      case CTextFloats_null: return tell(CTextFloats_value_null);
      case CTextFloats_array:
      case CTextFloats_object:
        if (depth == walk_depth_max) {
          result = make_result(CTextFloats_too_deep);
          return false;
        }
        return kind == CTextFloats_array ? list(value, depth) : object(value, depth);
    }
    return false;
  }

  bool list(ondemand::value &value, size_t depth) {
    ondemand::array array;
    if (auto error = value.get_array().get(array)) return fail(error);
    if (!tell(CTextFloats_list_begin)) return false;
    for (auto item : array) {
      ondemand::value element;
      if (auto error = std::move(item).get(element)) return fail(error);
      if (!this->value(element, depth + 1)) return false;
    }
    return tell(CTextFloats_list_end);
  }

  bool object(ondemand::value &value, size_t depth) {
    ondemand::object object;
    if (auto error = value.get_object().get(object)) return fail(error);
    if (!tell(CTextFloats_object_begin)) return false;
    std::set<std::string> names;
    for (auto item : object) {
      ondemand::field field;
      if (auto error = std::move(item).get(field)) return fail(error);
      std::string_view name;
      if (auto error = field.unescaped_key().get(name)) return fail(error);
      if (!names.insert(std::string(name)).second) {
        result = make_result(CTextFloats_invalid, "a name comes twice in one object");
        return false;
      }
      if (!tell(CTextFloats_member, 0, name) || !this->value(field.value(), depth + 1)) {
        return false;
      }
    }
    return tell(CTextFloats_object_end);
  }
};

}  // namespace

#endif
