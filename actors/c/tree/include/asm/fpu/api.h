/* No vectors, no floating point. */
