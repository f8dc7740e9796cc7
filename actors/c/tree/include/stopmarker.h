#include "../../include/stopmarker.h"
