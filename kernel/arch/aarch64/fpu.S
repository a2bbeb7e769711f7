/* void fpu_save(struct arch_fpu *), void fpu_load(const struct arch_fpu *) */
.arch_extension fp
.arch_extension simd

/* All vector registers to or from x0, which moves past them. */
.macro vectors op
	\op	{v0.2d-v3.2d}, [x0], #64
	\op	{v4.2d-v7.2d}, [x0], #64
	\op	{v8.2d-v11.2d}, [x0], #64
	\op	{v12.2d-v15.2d}, [x0], #64
	\op	{v16.2d-v19.2d}, [x0], #64
	\op	{v20.2d-v23.2d}, [x0], #64
	\op	{v24.2d-v27.2d}, [x0], #64
	\op	{v28.2d-v31.2d}, [x0], #64
.endm

.global fpu_save, fpu_load
fpu_save:
	vectors	st1
	mrs	x1, fpcr
	mrs	x2, fpsr
	stp	x1, x2, [x0]
	ret
fpu_load:
	vectors	ld1
	ldp	x1, x2, [x0]
	msr	fpcr, x1
	msr	fpsr, x2
	ret
