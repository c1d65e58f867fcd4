// The contract, compiled into the binary: openapi.yaml at the top level and the same as JSON.
#ifndef CCONTRACT_H
#define CCONTRACT_H

#include <stddef.h>

const unsigned char *CContract_yaml(void);
size_t CContract_yaml_size(void);
const unsigned char *CContract_json(void);
size_t CContract_json_size(void);

#endif
