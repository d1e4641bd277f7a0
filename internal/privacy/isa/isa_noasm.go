//go:build !amd64 || purego

package isa

func supported() Level { return Generic }

func supportedVAES() bool { return false }
