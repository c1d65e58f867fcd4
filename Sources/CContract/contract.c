#include "CContract.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// #embed costs a second of compile time where SwiftPM's resource embedding takes a minute.
static const unsigned char yaml[] = {
#embed "../../openapi.yaml"
};

static const unsigned char json[] = {
#embed "openapi.json"
};

const unsigned char *CContract_yaml(void) { return yaml; }
size_t CContract_yaml_size(void) { return sizeof yaml; }
const unsigned char *CContract_json(void) { return json; }
size_t CContract_json_size(void) { return sizeof json; }
