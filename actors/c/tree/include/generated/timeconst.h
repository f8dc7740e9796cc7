/* Nothing is needed where a second has 1000 ticks. */
