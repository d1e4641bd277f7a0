//go:build !amd64 || purego

package isa

func supported() Level { return Generic }
