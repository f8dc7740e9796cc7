#ifndef STOPMARKER_H
#define STOPMARKER_H
/* A step that records something; a property of the scenario looks at it (`world.always`, `world.sometimes`). */
void stopmarker_note(const char *subject, long value);
#endif
