/* Calls `generate` of a SavedModel through TensorFlow's C library, as a server does: tag `serve`.

   generate DIRECTORY LABELS SEED IMAGES RANK LABEL...

   LABELS, SEED and IMAGES are names of tensors, such as op:0. The seeds are 5, 6, 7, ...
   Labels and seeds are fed with RANK dimensions. The bytes of the images go to stdout; on an
   error the exit code is TensorFlow's code of it, and its message goes to stderr. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

static TF_Status* status;

static void check(void) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%s\n", TF_Message(status));
  exit(TF_GetCode(status));
}

static TF_Output find(TF_Graph* graph, const char* tensor) {
  char name[256];
  const char* colon = strrchr(tensor, ':');
  snprintf(name, sizeof name, "%.*s", (int)(colon - tensor), tensor);
  TF_Output output = {TF_GraphOperationByName(graph, name), atoi(colon + 1)};
  if (!output.oper) {
    fprintf(stderr, "no operation %s\n", name);
    exit(100);
  }
  return output;
}

int main(int count, char** arguments) {
  const char* tags[] = {"serve"};
  int64_t dims[] = {count - 6, 1, 1};
  int rank = atoi(arguments[5]);
  status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Session* session = TF_LoadSessionFromSavedModel(
      options, NULL, arguments[1], tags, 1, graph, NULL, status);
  check();

  TF_Output inputs[] = {find(graph, arguments[2]), find(graph, arguments[3])};
  TF_Output output = find(graph, arguments[4]);
  TF_Tensor* values[2];
  for (int i = 0; i < 2; ++i) {
    values[i] = TF_AllocateTensor(TF_INT64, dims, rank, dims[0] * sizeof(int64_t));
    for (int row = 0; row < dims[0]; ++row)
      ((int64_t*)TF_TensorData(values[i]))[row] = i ? 5 + row : atoll(arguments[6 + row]);
  }
  TF_Tensor* images = NULL;
  TF_SessionRun(session, NULL, inputs, values, 2, &output, &images, 1, NULL, 0, NULL, status);
  check();
  fwrite(TF_TensorData(images), 1, TF_TensorByteSize(images), stdout);
  return 0;
}
