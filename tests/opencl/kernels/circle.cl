#include "circle.cl"
