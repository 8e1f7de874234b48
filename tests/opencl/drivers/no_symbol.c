/* A driver that cannot be loaded: what it needs is nowhere. */
extern int setosa_no_such_symbol;
extern int *setosa_needs;
int *setosa_needs = &setosa_no_such_symbol;
