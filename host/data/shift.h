double shift_choose(double mean, double deviation, double least, double most);
