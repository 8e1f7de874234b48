#include "absent.clh"
