// Numbers as text, for Swift: simdjson in, std::to_chars out. No knowledge of what the numbers
// mean.
#ifndef CTEXTFLOATS_H
#define CTEXTFLOATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum CTextFloats_Kind {
  CTextFloats_number,
  CTextFloats_string,
  CTextFloats_boolean,
  CTextFloats_null,
  CTextFloats_array,
  CTextFloats_object,
} CTextFloats_Kind;

typedef enum CTextFloats_Status {
  CTextFloats_ok,
  /// Not JSON; `message` says how.
  CTextFloats_invalid,
  /// JSON, but not an object.
  CTextFloats_not_an_object,
  CTextFloats_duplicate_key,
  CTextFloats_too_many_fields,
  /// A number that no double can hold.
  CTextFloats_number_too_large,
  /// A number that the asked type cannot hold.
  CTextFloats_beyond_type,
  CTextFloats_too_deep,
  /// Rows of different length: `expected` and `found`.
  CTextFloats_ragged,
  /// Something that is not a number: `kind`.
  CTextFloats_wrong_kind,
  /// A string that spells NaN or an infinity that is not taken here.
  CTextFloats_not_finite,
  /// More numbers than there is room for.
  CTextFloats_no_room,
} CTextFloats_Status;

/// One member of the top-level object. Pointers live until the next scan.
typedef struct CTextFloats_Field {
  const char *name;
  size_t name_length;
  CTextFloats_Kind kind;
  /// For numbers and strings; 1 for true.
  double number;
  const char *text;
  size_t text_length;
} CTextFloats_Field;

/// Where and how a scan or a read failed, or the shape of what was read.
typedef struct CTextFloats_Result {
  CTextFloats_Status status;
  /// Static text.
  const char *message;
  /// The member at fault, or -1.
  ptrdiff_t field;
  /// The position of the fault in its array, outermost first; `depth` entries.
  size_t position[4];
  size_t depth;
  size_t expected;
  size_t found;
  CTextFloats_Kind kind;
  /// The shape of an array that was read: `rank` entries, 1 to 4.
  size_t shape[4];
  size_t rank;
  size_t count;
} CTextFloats_Result;

typedef struct CTextFloats_Reader CTextFloats_Reader;

CTextFloats_Reader *CTextFloats_create(void);
void CTextFloats_destroy(CTextFloats_Reader *reader);

/// Checks `length` bytes (of `capacity`, at least 64 more) and lists the members of the object.
/// The bytes must stay as they are while arrays are read.
CTextFloats_Result CTextFloats_scan(CTextFloats_Reader *reader, const char *bytes, size_t length,
                                    size_t capacity);
size_t CTextFloats_field_count(const CTextFloats_Reader *reader);
CTextFloats_Field CTextFloats_field(const CTextFloats_Reader *reader, size_t index);

/// Reads member `index`, an array of numbers nested at most four deep, row-major into `out`.
/// The string "-Infinity" is taken where `takes_negative_infinity` says so.
CTextFloats_Result CTextFloats_read_floats(CTextFloats_Reader *reader, size_t index,
                                           bool takes_negative_infinity, float *out,
                                           size_t capacity);
CTextFloats_Result CTextFloats_read_doubles(CTextFloats_Reader *reader, size_t index,
                                            bool takes_negative_infinity, double *out,
                                            size_t capacity);

/// Reads member `index`, one list of numbers (rank 1) or lists of any length (rank 2), into `out`
/// and, for each list, how many numbers there are up to its end into `ends`; shape[0] counts lists.
CTextFloats_Result CTextFloats_read_lists(CTextFloats_Reader *reader, size_t index, double *out,
                                          size_t capacity, size_t *ends, size_t ends_capacity);

/// A string; its bytes live until words are read again.
typedef struct CTextFloats_Word {
  const char *text;
  size_t length;
} CTextFloats_Word;

/// Reads member `index`, an array of strings; `count` says how many there are.
CTextFloats_Result CTextFloats_read_words(CTextFloats_Reader *reader, size_t index,
                                          CTextFloats_Word *out, size_t capacity);

/// What a document consists of, in its order.
typedef enum CTextFloats_EventKind {
  CTextFloats_list_begin,
  CTextFloats_list_end,
  CTextFloats_object_begin,
  /// The name of the next value of the innermost object: `text`.
  CTextFloats_member,
  CTextFloats_object_end,
  CTextFloats_value_number,
  CTextFloats_value_text,
  /// `number` is 1 for true.
  CTextFloats_value_boolean,
  CTextFloats_value_null,
} CTextFloats_EventKind;

typedef struct CTextFloats_Event {
  CTextFloats_EventKind kind;
  double number;
  /// Its bytes live until the callback returns.
  const char *text;
  size_t text_length;
} CTextFloats_Event;

/// Tells `visit` what member `index` consists of, whatever it is, until it returns false: the
/// status is `no_room` then. Objects with a name twice are refused, as are more than 16 levels.
CTextFloats_Result CTextFloats_walk(CTextFloats_Reader *reader, size_t index, void *context,
                                    bool (*visit)(void *context, const CTextFloats_Event *event));

/// Shortest texts that read back as the same number, separated by commas; bytes written.
size_t CTextFloats_print_floats(const float *values, size_t count, char *out);
size_t CTextFloats_print_doubles(const double *values, size_t count, char *out);
size_t CTextFloats_print_integers(const int32_t *values, size_t count, char *out);

/// Room that one printed number needs at most, with its comma.
enum {
  CTextFloats_float_bytes = 16,
  CTextFloats_double_bytes = 26,
  CTextFloats_integer_bytes = 12,
};

#ifdef __cplusplus
}
#endif

#endif
