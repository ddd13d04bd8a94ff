// A source may open a namespace; the core alone knows no floats.
using namespace coffer;
double seconds = 0.5;
