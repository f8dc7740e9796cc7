struct sigcontext {
	unsigned long unused;
};
